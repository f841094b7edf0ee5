"""The methods: what each trains, and on what; they share one loop, `textcentric.training.loop`."""
