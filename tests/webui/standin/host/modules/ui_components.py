"""The components that the host adds to gradio's."""

from __future__ import annotations

from typing import Any

import gradio as gr


class FormComponent:
    """Stands inside gradio's forms."""

    def get_expected_parent(self) -> Any:
        """Where gradio puts it."""
        return gr.components.Form


class ToolButton(FormComponent, gr.Button):
    """A small button."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, elem_classes=["tool", *kwargs.pop("elem_classes", [])], **kwargs)

    def get_block_name(self) -> str:
        """What the page takes it for."""
        return "button"


class FormRow(FormComponent, gr.Row):
    """A row."""

    def get_block_name(self) -> str:
        """What the page takes it for."""
        return "row"


class _InputAccordion(gr.Checkbox):
    """A hidden checkbox; one that is set up has an accordion beside it, whose being open is its value.

    gradio 4 makes a component anew for each of its updates, and not the accordion.
    """

    def __init__(self, value: bool | None = None, setup: bool = False, **kwargs: Any) -> None:
        if not setup:
            super().__init__(value, **kwargs)
            return
        self.accordion_id = kwargs.pop("elem_id")
        super().__init__(value, elem_id=f"{self.accordion_id}-checkbox", visible=False, **kwargs)
        self.accordion = gr.Accordion(kwargs["label"], open=value, elem_id=self.accordion_id)

    def __enter__(self) -> _InputAccordion:
        self.accordion.__enter__()
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self.accordion.__exit__(exc_type, exc_val, exc_tb)

    def get_block_name(self) -> str:
        """What the page takes it for."""
        return "checkbox"


def InputAccordion(value: bool | None = None, **kwargs: Any) -> _InputAccordion:
    """An accordion whose being open is a value."""
    return _InputAccordion(value, setup=True, **kwargs)
