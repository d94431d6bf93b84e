"""A file as a page sends it: what was to happen, and what the fields mean. Nothing is kept here."""

from dataclasses import dataclass

from gateway.controllers.common import AnyRequest, asker_of, fields_of, services_of
from gateway.controllers.files import MESSAGE_MAX
from gateway.edit_checks import Asker, file_name
from gateway.errors import RequestError
from gateway.forms import Draft, FormView, drafted, form_of, sent_form
from gateway.line_ends import with_line_ends_of
from gateway.pages.files import Editor
from spec import InvalidIdError, check_id
from spec.edit import values_of

STAND_IN = "new-workspace"
"""The id by which a file is read whose own is not known yet."""

_AGAIN = "This is your text. Saving puts it on top of the other change."
_WRONG = "It is not saved: mend first what is told below."
_TOGETHER = "This is their file with your changes in it. Look at it, then save."


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it came: what was to happen, and what is in the fields."""

    go: str
    id: str
    tab: str
    base: str
    text: str
    form: FormView
    message: str
    template: str
    confirm: str

    @property
    def file(self) -> str:
        """The file's name; that of a stand-in while the id is none."""
        try:
            return file_name(check_id(self.id))
        except InvalidIdError:
            return file_name(STAND_IN)


async def sent_of(request: AnyRequest) -> Sent:
    """Return what a form of a page holds."""
    fields = await fields_of(request)
    rows = zip(fields.every("env_name"), fields.every("env_value"), strict=False)
    return Sent(
        go=fields.get("go"),
        id=fields.get("id").strip(),
        tab="form" if fields.get("tab") == "form" else "text",
        base=fields.get("base"),
        text=with_line_ends_of(fields.get("text"), ""),
        form=sent_form(fields.items(), list(rows)),
        message=fields.get("message")[:MESSAGE_MAX],
        template=fields.get("template"),
        confirm=fields.get("confirm").strip(),
    )


async def draft_of(request: AnyRequest, sent: Sent, asker: Asker) -> Draft:
    """Return the text that a form means, and what is wrong with it."""

    def read() -> Draft:
        if sent.tab == "form":
            return drafted(sent.text, sent.form, file=sent.file)
        raw = sent.text.encode("utf-8", "replace")
        return Draft(text=sent.text, problems=values_of(raw, file=sent.file)[1])

    return await services_of(request).desk.reading(asker, read)


async def editor_of(
    request: AnyRequest, sent: Sent, draft: Draft, problem: RequestError | None
) -> Editor:
    """Return the page again: with the other tab, or with why it was not saved."""
    notices = {"again": _AGAIN, "together": _TOGETHER}
    saving = sent.go == "save"
    stays = sent.tab == "form" and (saving or draft.problems)
    form = sent.form if stays else await _form_of(request, draft.text, sent.file)
    tab = sent.tab if saving or (stays and sent.go == "text") else sent.go
    tab = tab if tab in {"form", "text"} and form.shown else "text"
    status = problem.status if problem is not None else 422 if saving else 200
    notice = problem.message if problem is not None else notices.get(sent.go, "")
    if saving and draft.problems:
        notice = _WRONG
    return Editor(
        id=sent.id,
        tab=tab,
        text=draft.text,
        form=form,
        base=sent.base,
        message=sent.message,
        problems=draft.problems,
        notice=notice,
        dirty=True,
        status=status,
    )


async def _form_of(request: AnyRequest, text: str, file: str) -> FormView:
    desk = services_of(request).desk
    return await desk.reading(asker_of(request), lambda: form_of(text, file=file))
