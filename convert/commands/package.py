"""Commands of the signed archive for a box: keys, wheels, the archive, and its verification."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from convert.commands.build import bundle_result
from convert.commands.command import Command, Result
from convert.errors import InputError
from convert.progress import Progress
from models.bundle import open_bundle

if TYPE_CHECKING:
    from convert.package.wheels import Target

#: The checkout that this module lies in.
_CHECKOUT = Path(__file__).resolve().parents[2]


def _keygen_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("private", type=Path, help="private key file to write; the public one is beside it, with .pub")


def keygen(args: argparse.Namespace, progress: Progress) -> Result:
    """A key pair."""
    from convert.package.keys import make_keys

    return asdict(make_keys(args.private))


def _target_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--python", help="the box's Python; default: the version that runs this")
    parser.add_argument("--platform", help="pip's name of the box's platform, such as manylinux_2_28_aarch64")
    parser.add_argument("--app", type=Path, default=_CHECKOUT, help="checkout of the project; default: this one")


def _wheels_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help="folder to write")
    _target_options(parser)
    parser.add_argument("--find-links", type=Path, action="append", default=[], help="folder of wheels; repeatable")
    parser.add_argument("--offline", action="store_true", help="take wheels from --find-links alone")


def wheels(args: argparse.Namespace, progress: Progress) -> Result:
    """A wheelhouse."""
    from convert.package.wheels import collect, read_wheels, require_complete

    target = _target(args)
    folder = collect(args.app, args.out, target, args.find_links, args.offline)
    found = read_wheels(folder, target)
    require_complete(found, target)
    return {"folder": folder, "wheels": [path.name for path in found.values()]}


def _archive_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, help="bundle folder")
    parser.add_argument("--out", type=Path, required=True, help="archive to write, such as shop.tar")
    parser.add_argument("--key", type=Path, required=True, help="private key of `convert keygen`")
    parser.add_argument("--wheels", type=Path, required=True, help="folder of `convert wheels`")
    _target_options(parser)


def archive(args: argparse.Namespace, progress: Progress) -> Result:
    """Bundle and wheels to one signed archive."""
    from convert.package.contents import contents
    from convert.package.wheels import read_wheels, require_complete
    from convert.package.write import write_archive

    target, bundle = _target(args), open_bundle(args.bundle)
    found = read_wheels(args.wheels, target)
    require_complete(found, target)
    return asdict(write_archive(args.out, contents(bundle, found, target, args.app), args.key, progress))


def _verify_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="BUNDLE|ARCHIVE", help="bundle folder, or archive")
    parser.add_argument("--key", type=Path, help="public key that an archive must be signed with")
    parser.add_argument("--to", type=Path, help="new folder to unpack a verified archive into")


def verify(args: argparse.Namespace, progress: Progress) -> Result:
    """Every byte of a bundle or an archive."""
    from convert.package.verify import unpack_archive, verify_archive

    if args.path.is_dir():
        if args.key or args.to:
            raise InputError(f"{args.path}: a folder; --key and --to are for archives; leave them out")
        return bundle_result(open_bundle(args.path))
    if args.path.is_file() and args.key is None:
        raise InputError(f"{args.path}: an archive; expected --key with the public key that it must be signed with")
    if not args.path.exists():
        raise InputError(f"{args.path}: no such file or folder; expected a bundle or an archive; correct the path")
    if args.to is None:
        found = verify_archive(args.path, args.key, progress)
    else:
        found = unpack_archive(args.path, args.key, args.to, progress)
    return {"archive": args.path, "key": found.key, "files": len(found.files), "unpacked": args.to, "ok": True}


def _target(args: argparse.Namespace) -> Target:
    from convert.package.wheels import Target

    given = {"python": args.python, "platform": args.platform}
    return Target(**{name: value for name, value in given.items() if value})


COMMANDS = {
    "keygen": Command("a key pair to sign archives with", keygen, _keygen_options),
    "wheels": Command("the application's wheel and all that it needs on the box", wheels, _wheels_options),
    "archive": Command("bundle, wheels and install script to one signed archive", archive, _archive_options),
    "verify": Command("verify every byte of a bundle or of a signed archive; unpack it", verify, _verify_options),
}
