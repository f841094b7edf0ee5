"""What reward models are worth: on pairs, on many candidates, beside baselines."""
