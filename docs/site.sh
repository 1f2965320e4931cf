#!/usr/bin/env bash
# Builds the documents as a site in target/docs. The site is self-contained: a link to a file outside docs/ gets a copy of that file, and a
# link to a folder outside becomes its name.
set -euo pipefail
cd "$(dirname "$0")/.."
staged=target/docs-source
site=target/docs

if ! command -v mdbook >/dev/null; then
  echo "docs: mdbook is not installed: cargo install --locked mdbook@0.4.52" >&2
  exit 1
fi
rm -rf "$staged" "$site"
mkdir -p "$staged"
cp -R docs/. "$staged"
rm -f "$staged"/site.sh "$staged"/pictures/*.sh "$staged"/pictures/*.mjs "$staged"/pictures/*.html

find "$staged" -name '*.md' | while read -r page; do
  folder=$(dirname "${page#"$staged"/}")
  # The relative path from the page to the top of the site; empty for a page at the top.
  up=$([ "$folder" = . ] || printf '%s/' "$folder" | sed 's#[^/]*/#../#g')
  { grep -oE '\]\((\.\./)+[^)]*\)' "$page" || true; } | sed 's/^](//; s/)$//; s/#.*//' | sort -u | while read -r link; do
    target=$(realpath -m --relative-to=. "docs/$folder/$link")
    case "$target" in docs/*) continue ;; esac
    pattern=$(printf '%s' "$link" | sed 's/[.[\*^$]/\\&/g')
    if [ -f "$target" ]; then
      # As text, so that a browser shows it; mdbook takes every link with `.md` in it for a page.
      copy="files/${target%.md}.txt"
      mkdir -p "$staged/$(dirname "$copy")"
      cp "$target" "$staged/$copy"
      sed -i "s#](${pattern}\(\#[^)]*\)\{0,1\})#]($up$copy)#g" "$page"
    else
      sed -i "s#\[\([^]]*\)\](${pattern})#\1#g" "$page"
    fi
  done
  # A README is written as index.html, and links to it are left as they are.
  sed -i 's#README\.md\([)\#]\)#index.md\1#g' "$page"
done
find "$staged" -name README.md -execdir mv {} index.md \;
mdbook build "$staged" --dest-dir "$PWD/$site"
rm "$site/book.toml"
echo "The site is $site/index.html"
