"""Chat templates with the marks of known families, each with a tokenizer of bytes that has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.tiny_models import byte_tokenizer


@dataclass(frozen=True)
class Family:
    """A chat template and the marks it writes; `foreign` are marks that only rows spell."""

    template: str
    marks: tuple[str, ...]
    foreign: tuple[str, ...] = ()

    def tokenizer(self) -> Any:
        """Return a tokenizer of bytes in which each mark is one special token."""
        tokenizer = byte_tokenizer(self.template)
        marks = [*self.marks, *self.foreign]
        tokenizer.add_special_tokens({"additional_special_tokens": marks})
        return tokenizer


CHATML = Family(
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    ("<|im_start|>", "<|im_end|>"),
    ("<|endoftext|>",),
)
LLAMA = Family(
    "<|begin_of_text|>{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
    ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    ("<|python_tag|>", "<|reserved_special_token_0|>"),
)
GEMMA = Family(
    "<bos>{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}<start_of_turn>"
    "{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end_of_turn>\n"
    "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
    ("<bos>", "<start_of_turn>", "<end_of_turn>"),
    ("<eos>", "<image>"),
)
MISTRAL = Family(
    "<s>{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/...') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}</s>"
    "{% endif %}{% endfor %}",
    ("<s>", "[INST]", "[/INST]", "</s>"),
    ("[IMG]", "[TOOL_CALLS]"),
)
FAMILIES = {"chatml": CHATML, "llama": LLAMA, "gemma": GEMMA, "mistral": MISTRAL}
# What vision templates read: every turn in parts, a picture as a mark of its own.
VISION = Family(
    "{% for m in messages %}{{ m.role }}: {% for part in m.content %}"
    "{% if part.type == 'image' %}<image>{% elif part.type == 'text' %}{{ part.text }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}",
    ("<image>", "<end_of_utterance>"),
)
