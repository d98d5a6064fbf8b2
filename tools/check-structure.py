#!/usr/bin/env python3
"""Checks the structure of the workspace and exits with 1 if it finds one of these:

circles   modules of one crate that use each other, directly or through others: files, and folders as wholes
names     a public struct, enum, union or trait name that is defined twice
lengths   a source file of more than 400 lines

usage: tools/check-structure.py [CRATE-FOLDER...]        for example: tools/check-structure.py detect plugin

Names are always looked for in the whole workspace and reported if one of the given crates has one. Tests are left out.
A parent that only re-exports (`pub use child::Item`) does not use its child, nor does the wrapper of a GObject its `imp`;
a name imported through a re-export counts as a use of the module that defines it. Method calls and macros are not seen.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 400
# Names that stand for something of their own in every module.
EVERYDAY = {"Error", "Settings", "State", "Options", "Args"}
# Names of which every build compiles one definition only, chosen by its target or its features.
CHOSEN_BY_BUILD = {"KafkaPublisher", "PairedWeights", "S3Store"}
VISIBILITY = r"pub(?:\s*\([^)]*\))?"


def blank(text):
    """Spaces in place of `text`, so that line numbers stay."""
    return re.sub(r"[^\n]", " ", text)


def code_of(text):
    """The source without comments and the contents of literals."""
    token = re.compile(
        r"""//[^\n]*|/\*.*?\*/|\bb?r(?P<hashes>#*)".*?"(?P=hashes)|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^\n]+?|[^'\\\n])'""",
        re.DOTALL,
    )
    return token.sub(lambda found: blank(found[0]), text)


def without_tests(code):
    """The source without what stands behind `#[cfg(test)]`."""
    attribute = re.compile(r"#\[cfg\((?:test|all\(test[^]]*)\)\](?:\s*#\[[^]]*\])*")
    while found := attribute.search(code):
        end = found.end()
        depth = 0
        while end < len(code):
            character = code[end]
            depth += (character in "{(") - (character in "})")
            end += 1
            if depth == 0 and character in ";}":
                break
        code = code[: found.start()] + blank(code[found.start() : end]) + code[end:]
    return code


def flat(tree, prefix=()):
    """The paths that a `use` tree names, each with the name that it gets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(tree + ","):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            parts.append(tree[start:index].strip())
            start = index + 1
    for part in filter(None, parts):
        head, brace, rest = part.partition("{")
        segments = [segment.strip() for segment in head.split("::") if segment.strip()]
        if brace:
            yield from flat(rest.rpartition("}")[0], (*prefix, *segments))
            continue
        last, _, alias = segments[-1].partition(" as ")
        path = (*prefix, *segments[:-1], last.strip())
        if path[-1] == "self" and len(path) > 1:
            path = path[:-1]
        yield path, alias.strip() or path[-1]


class Module:
    """A file of a crate."""

    def __init__(self, file, path, parent):
        self.file, self.path, self.parent = file, path, parent
        self.children = {}
        self.imports = {}  # name → (path, is it a re-export, line)
        self.globs = []  # (path, is it a re-export, line)
        code = without_tests(code_of(file.read_text()))
        declaration = re.compile(r"^\s*(?:%s\s+)?mod\s+(\w+)\s*;" % VISIBILITY, re.MULTILINE)
        self.declared = declaration.findall(code)
        use = re.compile(r"^[ \t]*(%s\s+)?use\s+([^;]+);" % VISIBILITY, re.MULTILINE)
        for found in use.finditer(code):
            line = code.count("\n", 0, found.start(2)) + 1
            for path, name in flat(" ".join(found[2].split())):
                if path[-1] == "*":
                    self.globs.append((path[:-1], bool(found[1]), line))
                else:
                    self.imports[name] = (path, bool(found[1]), line)
        for declarations in (use, declaration):
            code = declarations.sub(lambda found: blank(found[0]), code)
        self.code = code

    def __str__(self):
        return "::".join(self.path)

    def root(self):
        return self.parent.root() if self.parent else self

    def resolve(self, path, seen=frozenset()):
        """The module that defines what `path` names as seen from here, and whether `path` names that module itself.
        None for what other crates define."""
        head, *rest = path
        if (self, head) in seen:
            return None
        seen = seen | {(self, head)}
        if head == "crate":
            return self.root().resolve_in(rest, seen)
        if head == "self":
            return self.resolve_in(rest, seen)
        if head == "super":
            return self.parent.resolve_in(rest, seen) if self.parent else None
        if head in self.children:
            return self.children[head].resolve_in(rest, seen)
        if head in self.imports:
            target = self.imports[head][0]
            if target == (head,):
                return None
            return self.resolve((*target, *rest), seen)
        return None

    def resolve_in(self, path, seen):
        """The same of a path that begins in this module."""
        if not path:
            return self, True
        if path[0] == "super" or path[0] in self.children or path[0] in self.imports:
            return self.resolve(path, seen)
        if not re.search(r"\b%s\b" % re.escape(path[0]), self.code):
            for target, _, _ in self.globs:
                module = self.resolve(target, seen)
                if module and module[1]:
                    return module[0].resolve_in(path, seen)
        return self, False

    def uses(self):
        """The modules that this one uses, each with the line that says so."""
        found = {}

        def use(path, line):
            target = self.resolve(path)
            is_wrapped = target and target[0] is self.children.get("imp")
            if target and target[0] is not self and not is_wrapped:
                found.setdefault(target[0], line)

        for name, (path, is_public, line) in self.imports.items():
            target = self.resolve(path)
            if not target or target[1]:
                continue
            below = target[0].path[: len(self.path)] == self.path
            if is_public and below and not re.search(r"\b%s\b" % name, self.code):
                continue
            use(path, line)
        for path, is_public, line in self.globs:
            target = self.resolve(path)
            if target and not (is_public and target[0].path[: len(self.path)] == self.path):
                use(path, line)
        for path in re.finditer(r"(?<![\w:.$])(?:\w+::)+\w+", self.code):
            use(path[0].split("::"), self.code.count("\n", 0, path.start()) + 1)
        return found


def is_test(file):
    """Whether the file is a test; what lies in `tests/src` is a library."""
    return bool(re.search(r"/tests?(/|\.rs)", file.relative_to(ROOT).as_posix()))


def sources(crate):
    """The source files of a crate without its tests."""
    return [file for file in sorted((crate / "src").rglob("*.rs")) if not is_test(file)]


def modules_of(root_file):
    """The modules of the crate that begins in `root_file`."""
    pending = [Module(root_file, ("crate",), None)]
    for module in pending:
        folder = module.file.parent
        if module.parent and module.file.name != "mod.rs":
            folder /= module.file.stem
        for name in module.declared:
            for file in (folder / f"{name}.rs", folder / name / "mod.rs"):
                if file.exists() and not is_test(file):
                    module.children[name] = Module(file, (*module.path, name), module)
                    pending.append(module.children[name])
    return pending


def circles(edges):
    """The strongly connected components of more than one node (Tarjan 1972)."""
    index, low, stack, result = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                result.append(component)

    for node in edges:
        if node not in index:
            visit(node)
    return result


def folders(edges):
    """The uses between modules with all that lies below them: siblings → one example of each use."""
    found = defaultdict(dict)
    for module, uses in edges.items():
        for other, line in uses.items():
            shared = 0
            while module.path[shared : shared + 1] == other.path[shared : shared + 1] != ():
                shared += 1
            ends = module.path[: shared + 1], other.path[: shared + 1]
            if len(ends[0]) == len(ends[1]) == shared + 1:
                found[ends[0]].setdefault(ends[1], (module, line))
                found[ends[1]]
    return found


def check_circles(crate):
    """Messages about the circles of a crate, its library and its programs."""
    source = crate / "src"
    roots = [source / "lib.rs", source / "main.rs", *sorted(source.glob("bin/*.rs"))]
    for root in filter(Path.exists, roots):
        edges = {module: module.uses() for module in modules_of(root)}
        for component in circles(edges):
            lines = [f"{crate.name}: a circle of {len(component)} modules"]
            for module in component:
                for other, line in edges[module].items():
                    if other in component:
                        where = module.file.relative_to(ROOT)
                        lines.append(f"    {module} uses {other} ({where}:{line})")
            yield "\n".join(lines)
        parents = {module.path for module in edges if module.children}
        between = folders(edges)
        for component in circles(between):
            if parents.isdisjoint(component):
                continue
            lines = [f"{crate.name}: a circle of {len(component)} modules with those below them"]
            for path in component:
                for other, (module, line) in between[path].items():
                    if other in component:
                        where = module.file.relative_to(ROOT)
                        lines.append(f"    {'::'.join(path)} uses {'::'.join(other)} (for example {where}:{line})")
            yield "\n".join(lines)


def definitions(crates):
    """The public types of all crates: name → files that define it."""
    public = re.compile(r"^\s*%s\s+(?:unsafe\s+)?(?:struct|enum|union|trait)\s+(\w+)" % VISIBILITY, re.MULTILINE)
    found = defaultdict(list)
    for crate in crates:
        for file in sources(crate):
            for name in public.findall(without_tests(code_of(file.read_text()))):
                if name not in EVERYDAY | CHOSEN_BY_BUILD:
                    found[name].append(file)
    return found


def is_element(files):
    """Whether these are the wrapper and the implementation of a GObject."""
    return {file.name for file in files} == {"mod.rs", "imp.rs"} and len({file.parent for file in files}) == 1


def main():
    all_crates = sorted(manifest.parent for manifest in ROOT.glob("*/Cargo.toml"))
    crates = [ROOT / name.rstrip("/") for name in sys.argv[1:]] or all_crates
    for crate in crates:
        if crate not in all_crates:
            sys.exit(f"{crate.name}: no such crate, expected one of {', '.join(c.name for c in all_crates)}")

    messages = [message for crate in crates for message in check_circles(crate)]
    for name, files in sorted(definitions(all_crates).items()):
        is_asked_for = any(crate in file.parents for file in files for crate in crates)
        if len(files) > 1 and is_asked_for and not is_element(files):
            where = ", ".join(str(file.relative_to(ROOT)) for file in files)
            messages.append(f"{name}: {len(files)} public types of this name: {where}")
    for crate in crates:
        for file in sources(crate):
            lines = len(file.read_text().splitlines())
            if lines > MOST_LINES:
                messages.append(f"{file.relative_to(ROOT)}: {lines} lines, expected at most {MOST_LINES}")
    for message in messages:
        print(message)
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
