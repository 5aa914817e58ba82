# Sourced by the other scripts: a .venv with exactly what requirements.txt pins; nothing to do the second time.
stamp=.venv/installed-from
wanted=$(cat requirements.txt pyproject.toml | cksum)
if [ ! -x .venv/bin/python ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing what requirements.txt pins into .venv: once, a few minutes." >&2
    python=${PYTHON:-$(command -v python3.11 || command -v python3)}
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet uv
    .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --requirement requirements.txt
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --editable .
    printf '%s' "$wanted" > "$stamp"
fi
