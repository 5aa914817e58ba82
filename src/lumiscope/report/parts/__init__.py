"""What several sections draw. Each is a small dataclass and the macro of its name; `{{ part | draw }}` draws it."""
