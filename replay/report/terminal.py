"""The summary in the terminal: at most as wide as the console, right without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from replay.report.contracts import contract_parts
from replay.report.nights import night_parts
from replay.report.noise import noise_parts
from replay.report.statistics import weighted_words
from replay.report.terminal_faults import fault_parts
from replay.report.terminal_groups import COLOURS, group_table, quiet_parts
from replay.report.text import cut, plural, shell_word, visible
from replay.report.view import VERDICTS

MAX_REASONS = 5


def render_terminal(
    document: Mapping[str, Any], console: Console, *, report: Path | None = None
) -> None:
    """Print the summary of a report document; ``report`` names the HTML file, if there is one."""
    page = _Page(document, ascii_only=not console.encoding.lower().startswith("utf"))
    with console.capture() as drawn:
        # Without soft_wrap rich keeps to the console's width; highlight off: numbers stay plain.
        console.print(page.build(report), highlight=False, markup=False, emoji=False)
    # Tables are padded to their width; in a file or a mail that is only noise.
    lines = drawn.get().split("\n")
    console.file.write("\n".join(line.rstrip() for line in lines))
    console.file.flush()


class _Page:
    """Builds the renderables of one document; holds how text is made safe."""

    def __init__(self, document: Mapping[str, Any], *, ascii_only: bool) -> None:
        self.document = document
        self.ascii_only = ascii_only

    def text(self, value: str, style: str = "", limit: int = 400) -> Text:
        """Hostile text: one line, control characters named, no markup, long values cut."""
        piece = cut(value, limit)
        dots = "..." if piece.removed else ""
        safe = visible(piece.text, one_line=True, ascii_only=self.ascii_only)
        return Text(safe + dots, style=style, overflow="fold")

    def build(self, report: Path | None) -> RenderableType:
        parts: list[RenderableType] = [self._verdict()]
        section = self.document.get("resilience")
        head = "Behaviours that changed, worst first"
        if section is not None:
            weighted = bool(self.document.get("statistics", {}).get("weighted"))
            parts += [*fault_parts(section, self.text, weighted), Text()]
            parts.append(Text("Beside the recordings, which had no faults", "bold"))
            head = "What differs from them, worst first"
        else:
            parts.append(Text())
        if not self._quiet:
            parts.append(Padding(self._counts(), (0, 0, 0, 2)))
        if self.document["groups"]:
            parts += [Text(), Text(head, "bold"), group_table(self.document, self.text)]
        parts += quiet_parts(self.document, self.text)
        parts += noise_parts(self.document, self.text)
        parts += contract_parts(self.document, self.text)
        parts += night_parts(self.document, self.text)
        doubts = list(self._doubts())
        if doubts:
            parts += [Text(), Text("Not judged", "bold")]
            parts += [Padding(line, (0, 0, 0, 2)) for line in doubts]
        parts += [Text(), self._next(report)]
        return Group(*parts)

    @property
    def _quiet(self) -> bool:
        """Whether it is a night without traffic: nothing was counted or kept."""
        return bool((self.document.get("night") or {}).get("verdict"))

    def _verdict(self) -> Text:
        verdict = self.document["verdict"]
        style = COLOURS.get(verdict["status"], "")
        line = Text(verdict["status"].upper(), f"bold {style}")
        line.append("  ")
        return line.append_text(self.text(verdict["sentence"], limit=1_000))

    def _counts(self) -> Text:
        counts = self.document["counts"]
        line = Text()
        replayed = counts["replayed"] + counts["reused"]
        line.append(plural(replayed, "trace") + " replayed" if replayed else "")
        line.append(", " if replayed else "")
        line.append(f"{counts['compared']:,} compared: ")
        shown = [v for v in ("same", *VERDICTS[:-1]) if counts[v]] or ["same"]
        for n, verdict in enumerate(shown):
            line.append(", " if n else "")
            style = COLOURS.get(verdict, "")
            line.append(f"{counts[verdict]:,} {verdict}", f"bold {style}" if style else "")
        calls, exact = counts.get("calls", 0), counts.get("exact_calls", 0)
        if calls and exact < calls:
            line.append(f"\n{plural(calls, 'call')}, {exact:,} exactly as in the baseline; ")
            line.append(f"{plural(counts.get('fully_matched', 0), 'trace')} entirely so, ")
            line.append(f"{counts.get('identical_sequences', 0):,} in the same order")
            if "same_state" in counts:
                line.append(f"; {plural(counts['same_state'], 'trace')} to the same state")
        weighted = weighted_words(self.document)
        line.append(f"\nof the traffic that they stand for: {weighted}" if weighted else "")
        return line

    def _doubts(self) -> Iterator[Text]:
        """One line for each reason why something has no verdict."""
        counts, trust = self.document["counts"], self.document["trust"]
        budget = self.document.get("budget") or {}
        if budget.get("not_replayed"):
            what = "money" if budget["ran_out"] == "money" else "time"
            yield Text(f"{budget['not_replayed']:,} not replayed: the night's {what} ran out")
        for verdict in ("inconclusive", "broken"):
            reasons = [t["reason"] for t in self.document["traces"] if t["verdict"] == verdict]
            yield from self._reasons(reasons, verdict)
        yield from self._reasons([n["reason"] for n in trust["not_replayable"]], "not replayable")
        for side in ("baseline", "candidate"):
            if counts[f"unpaired_{side}"]:
                yield Text(f"{counts[f'unpaired_{side}']:,} only in the {side}, no partner")
        for kind, word in (("skipped", "skipped at ingest"), ("quarantined", "quarantined")):
            for entry in trust[kind][:MAX_REASONS]:
                yield self._reason(entry["count"], word, entry["reason"])
        for fault in trust["faults"]:
            if not fault["landed"] and "resilience" not in self.document:
                yield self.text(f"fault {fault['sentence']}")

    def _reasons(self, reasons: Sequence[str], word: str) -> Iterator[Text]:
        tally: dict[str, int] = {}
        for reason in reasons:
            tally[reason] = tally.get(reason, 0) + 1
        ranked = sorted(tally.items(), key=lambda item: -item[1])
        for reason, count in ranked[:MAX_REASONS]:
            yield self._reason(count, word, reason)
        rest = sum(count for _, count in ranked[MAX_REASONS:])
        if rest:
            yield Text(f"{rest:,} {word}: other reasons, in the report")

    def _reason(self, count: int, word: str, reason: str) -> Text:
        line = Text(f"{count:,} {word}: ", overflow="fold")
        return line.append_text(self.text(reason, limit=200))

    def _next(self, report: Path | None) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        if report is not None:
            table.add_row("Report", self.text(str(report), limit=2_000))
        privacy = self.document["trust"].get("privacy")
        if privacy is not None and not self._quiet:
            table.add_row("Privacy", self.text(privacy["sentence"]))
        section = self.document.get("resilience") or {"outcomes": ()}
        doable = (*section["outcomes"], *self.document["groups"])
        command = next((g["reproduce"] for g in doable if g["reproduce"]), "")
        if command:
            table.add_row("Next", self.text(command, limit=2_000))
        if report is not None and self.document["groups"]:
            decide = f"replay review --run {shell_word(str(report.parent))}"
            table.add_row("Decide", self.text(decide, limit=2_000))
        return table
