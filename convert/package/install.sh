#!/bin/sh
# Installs the application and the bundle of this folder for one box. Nothing comes from a network.
#
#   sh install.sh [FOLDER]        default: /opt/tellerbox; PYTHON=... names the interpreter
#
# Every version lies in a folder of its own under FOLDER/releases; FOLDER/current points to the one that serves and is
# moved only after the new one has answered a question. To go back: ln -sfn releases/OLDER FOLDER/current
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-/opt/tellerbox}
python=${PYTHON:-python3}

cd "$here"
sha256sum --check --strict --quiet SHA256SUMS
"$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "@PYTHON@")' || {
    echo "install.sh: $python is not Python @PYTHON@; install it, or name it: PYTHON=python@PYTHON@ sh install.sh" >&2
    exit 2
}
version=$(sha256sum SHA256SUMS | cut -c 1-12)
mkdir -p "$to/releases"
to=$(cd "$to" && pwd)
new="$to/releases/$version"
if [ "$(readlink "$to/current" || true)" = "releases/$version" ]; then
    echo "install.sh: version $version is installed in $new already"
    exit 0
fi
rm -rf "$new"
"$python" -m venv "$new/venv"
"$new/venv/bin/python" -m pip --disable-pip-version-check --no-input install --quiet \
    --no-index --find-links "$here/wheels" --require-hashes --requirement "$here/requirements.txt"
cp -R "$here/bundle" "$new/bundle"
cd "$new"
"$new/venv/bin/python" -m runtime check --bundle "$new/bundle"
ln -s "releases/$version" "$to/.next.$$"
mv -T "$to/.next.$$" "$to/current"
echo "installed; start it with: $to/current/venv/bin/python -m runtime serve --bundle $to/current/bundle"
