#!/usr/bin/env python3
"""architecture_picture.py [--check]: draws the rooms' table of docs/architecture.md as a Mermaid graph, between the two marks in that page.

An arrow A --> B says that A may include B; one that follows from others is left out. With --check nothing is written: exit status 1
where the drawing is not the table's.
"""
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: made by scripts/architecture_picture.py -->", "<!-- rooms: end -->"


def rooms_of(text):
    """{room: the rooms that it may include} from the table whose first column is called "room"."""
    rooms, inside = {}, False
    for line in text.splitlines():
        if line.startswith("| room |"):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            name, _, allowed = (cell.strip() for cell in line.strip("|").split("|"))
            rooms[name.strip("`")] = [room for room in re.split(r"[,\s]+", allowed) if room]
    everything = list(rooms)
    return {room: [r for r in everything if r != room] if allowed == ["any"] else allowed for room, allowed in rooms.items()}


def reached(rooms, start):
    """All rooms that `start` reaches over at least one other room."""
    seen, open_rooms = set(), [n for room in rooms[start] for n in rooms[room]]
    while open_rooms:
        room = open_rooms.pop()
        if room not in seen:
            seen.add(room)
            open_rooms += rooms[room]
    return seen


def drawing(rooms):
    identifier = {room: room.replace("/", "_") for room in rooms}
    lines = ["```mermaid", "graph TD"]
    lines += [f'  {identifier[room]}["{room}"]' for room in rooms]
    for room, allowed in rooms.items():
        further = reached(rooms, room)
        lines += [f"  {identifier[room]} --> {identifier[other]}" for other in allowed if other not in further]
    return "\n".join(lines + ["```"])


def main():
    text = PAGE.read_text()
    if BEGIN not in text or END not in text:
        sys.exit(f"{PAGE}: the marks {BEGIN} and {END} are missing")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    made = f"{before}{BEGIN}\n{drawing(rooms_of(text))}\n{END}{after}"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made)
    elif made != text:
        sys.exit(f"{PAGE}: the drawing of the rooms is not what the table says; run scripts/architecture_picture.py")


if __name__ == "__main__":
    main()
