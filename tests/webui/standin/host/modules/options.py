"""The settings page's options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules.shared_cmd_options import cmd_opts


class OptionInfo:
    """One option: what it is when nothing was set, and how the page shows it."""

    def __init__(
        self, default=None, label="", component=None, component_args=None, onchange=None, section=None, refresh=None,
        comment_before="", comment_after="", infotext=None, restrict_api=False, category_id=None,
    ):  # fmt: skip
        self.default, self.label, self.component, self.component_args = default, label, component, component_args
        self.onchange, self.section, self.refresh, self.infotext = onchange, section, refresh, infotext
        self.comment_before, self.comment_after = comment_before, comment_after
        self.restrict_api, self.category_id = restrict_api, category_id
        self.do_not_save = False

    def info(self, info: str) -> OptionInfo:
        """Add an explanation, and return the option."""
        self.comment_after += f"<span class='info'>({info})</span>"
        return self


class OptionHTML(OptionInfo):
    """A piece of text between options."""

    def __init__(self, text: str) -> None:
        super().__init__(str(text).strip())
        self.do_not_save = True


class Options:
    """Values by name, and attributes for them."""

    data: dict[str, Any]
    data_labels: dict[str, OptionInfo]

    def __init__(self, data_labels: dict[str, OptionInfo], restricted_opts: set[str]) -> None:
        vars(self).update(data_labels=data_labels, restricted_opts=restricted_opts)
        vars(self)["data"] = {name: info.default for name, info in data_labels.items()}

    def __getattr__(self, item: str) -> Any:
        for values in (vars(self).get("data", {}), self._defaults()):
            if item in values:
                return values[item]
        raise AttributeError(item)

    def __setattr__(self, key: str, value: Any) -> None:
        info = self.data_labels.get(key)
        if info is None:
            vars(self)[key] = value
            return
        if cmd_opts.freeze_settings:
            raise AssertionError("changing settings is disabled")
        if isinstance(info.component_args, dict) and info.component_args.get("visible") is False:
            raise RuntimeError(f"not possible to set '{key}' because it is restricted")
        if cmd_opts.hide_ui_dir_config and key in self.restricted_opts:
            raise RuntimeError(f"not possible to set '{key}' because it is restricted with --hide_ui_dir_config")
        if not info.do_not_save:
            self.data[key] = value

    def _defaults(self) -> dict[str, Any]:
        return {name: info.default for name, info in vars(self).get("data_labels", {}).items()}

    def set(self, key: str, value: Any, is_api: bool = False, run_callbacks: bool = True) -> bool:
        """Set an option; returns whether it changed."""
        if self.data.get(key) == value:
            return False
        info = self.data_labels[key]
        if info.do_not_save or (is_api and info.restrict_api):
            return False
        try:
            setattr(self, key, value)
        except RuntimeError:
            return False
        changed: Callable[[], None] | None = info.onchange if run_callbacks else None
        if changed is not None:
            changed()
        return True

    def get_default(self, key: str) -> Any:
        """What an option is when nothing was set."""
        return self._defaults().get(key)

    def add_option(self, key: str, info: OptionInfo) -> None:
        """Make an option known; its value is the default unless one was saved before."""
        self.data_labels[key] = info
        if not info.do_not_save:
            self.data.setdefault(key, info.default)
