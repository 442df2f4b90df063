#!/bin/sh
# Serves the contract in knowledge/, or the one of a repository on the Hub that the variable KNOWLEDGE names, such as
# "fury/bot-knowledge". For a private repository, HF_TOKEN must be a secret of the Space.
set -eu
if [ -n "${KNOWLEDGE:-}" ]; then
    hf download "$KNOWLEDGE" --repo-type dataset --revision "${KNOWLEDGE_REVISION:-main}" --local-dir /tmp/knowledge
    folder=/tmp/knowledge
else
    folder=/app/knowledge
fi
exec furytune serve --config /app/furytune.toml "$folder/bot.contract.json"
