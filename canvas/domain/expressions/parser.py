"""Tokens into a tree, by precedence climbing. Sizes are checked on the way, so that hostile text stops early."""

from canvas.domain.expressions import tree
from canvas.domain.expressions.faults import ExpressionError, ExpressionLimitError, ExpressionSyntaxError
from canvas.domain.expressions.limits import MAX_DEPTH, MAX_NODES
from canvas.domain.expressions.tokens import Token, next_token, string_value

_LEVELS = (
    ("||", "or"),
    ("&&", "and"),
    (),  # prefix `not`
    ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "contains"),
    ("??",),
    ("+", "-"),
    ("*", "/", "%"),
)
_LEVEL_OF = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
_NOT, _COMPARISON = 2, 3
_CANONICAL = {"or": "||", "and": "&&"}
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_WORDS = frozenset({"and", "or", "not", "in"})
_MACROS = frozenset({"map", "filter", "all", "exists", "exists_one"})


class Parser:
    """Reads one expression that starts at `position` and ends where no operator follows."""

    def __init__(self, text: str, position: int = 0, *, nodes: int = 0) -> None:
        self._text = text
        self._depth = 0
        self.nodes = nodes
        "Nodes made so far, those of earlier parsers of the same text included."
        self.token = next_token(text, position)
        "The first token that is not part of what was parsed."

    def parse_all(self) -> tree.Node:
        """Read the text to its end.

        Raises:
            ExpressionError: The text is not exactly one expression within the limits.
        """
        node = self.parse()
        if self.token.kind != "end":
            raise self.unexpected("Is an operator missing before it?")
        return node

    def parse(self) -> tree.Node:
        """Read one expression and leave what follows it.

        Raises:
            ExpressionError: No expression within the limits stands here.
        """
        self._enter()
        condition = self._operation(0)
        if self._at("?"):
            offset = self._advance().start
            then = self.parse()
            self._expect(":")
            condition = self._made(tree.Choice(offset, condition, then, self.parse()))
        self._depth -= 1
        return condition

    # operators

    def _operation(self, lowest: int) -> tree.Node:
        left = self._prefix(lowest)
        while (level := self._level()) >= lowest:
            left = self._chain(left, level)
        return left

    def _chain(self, left: tree.Node, level: int) -> tree.Node:
        operators, operands = list[tuple[str, int]](), [left]
        while self._level() == level:
            if level == _COMPARISON and operators:
                raise self._error("Comparisons do not follow one another; join them with `&&`, or use brackets.")
            operators.append(self._operator())
            operands.append(self._operation(level + 1))
            self._count()
        return tree.Chain(operators[0][1], tuple(operators), tuple(operands))

    def _level(self) -> int:
        token = self.token
        if token.kind == "name" and token.text == "not":
            return _COMPARISON
        return _LEVEL_OF.get(token.text, -1) if token.kind in ("sign", "name") else -1

    def _operator(self) -> tuple[str, int]:
        token = self._advance()
        spelling = token.text
        if spelling == "not":
            if self.token.text != "in":
                raise self.unexpected("`not` stands before a value, or as `not in`.")
            self._advance()
            spelling = "not in"
        return _CANONICAL.get(spelling, spelling), token.start

    def _prefix(self, lowest: int) -> tree.Node:
        token = self.token
        if token.kind == "name" and token.text == "not":
            self._advance()
            return self._deeper("!", token, _NOT if lowest <= _NOT else lowest)
        if token.kind == "sign" and token.text in ("!", "-"):
            self._advance()
            if token.text == "-" and self.token.kind == "number" and self.token.start == token.end:
                return self._postfix(self._number(self._advance(), token.start))
            return self._deeper(token.text, token, len(_LEVELS))
        return self._postfix(self._primary())

    def _deeper(self, operator: str, token: Token, lowest: int) -> tree.Node:
        self._enter()
        operand = self._operation(lowest)
        self._depth -= 1
        return self._made(tree.Unary(token.start, operator, operand))

    # members, indexes, methods

    def _postfix(self, base: tree.Node) -> tree.Node:
        depth, keys = self._depth, []
        while self.token.text in (".", "[") and self.token.kind == "sign":
            if self._advance().text == "[":
                keys.append(self._index())
                continue
            name = self._member_name()
            if not self._at("("):
                self._count()
                keys.append(tree.Key(name.start, name.text, name.start, name.end))
                continue
            self._enter()
            base, keys = self._call(name, self._path(base, keys)), []
        self._depth = depth
        return self._path(base, keys)

    def _path(self, base: tree.Node, keys: list[tree.Key | tree.Node]) -> tree.Node:
        return tree.Path(base.offset, base, tuple(keys)) if keys else base

    def _member_name(self) -> Token:
        if self.token.kind != "name":
            raise self.unexpected("A member's name belongs after the dot; other keys go in brackets: `a['b c']`.")
        return self._advance()

    def _index(self) -> tree.Key | tree.Node:
        first = self.token
        node = self.parse()
        self._expect("]")
        if isinstance(node, tree.Literal) and type(node.value) in (str, int) and first.text != "(":
            return tree.Key(node.offset, node.value, first.start, first.end)
        return node

    # values

    def _primary(self) -> tree.Node:
        token = self._advance()
        if token.kind == "name":
            return self._word(token)
        if token.kind == "number":
            return self._number(token, token.start)
        if token.kind == "string":
            return self._made(tree.Literal(token.start, string_value(token, self._text)))
        if token.text == "(":
            node = self.parse()
            self._expect(")")
            return node
        if token.text == "[":
            return self._made(tree.ListLiteral(token.start, tuple(self._items("]"))))
        if token.text == "{":
            return self._braces(token)
        raise self.unexpected("A value was expected.", token)

    def _word(self, token: Token) -> tree.Node:
        if self._at("("):
            return self._call(token, None)
        if token.text in _CONSTANTS:
            return self._made(tree.Literal(token.start, _CONSTANTS[token.text]))
        if token.text in _WORDS:
            raise self.unexpected("A value was expected.", token)
        return self._made(tree.Name(token.start, token.text))

    def _number(self, token: Token, offset: int) -> tree.Node:
        sign = "-" if offset != token.start else ""
        spelling = sign + token.text
        if not set(token.text) & set("xX") and set(token.text) & set(".eE"):
            value: float = float(spelling)
            if value in (float("inf"), float("-inf")):
                raise ExpressionSyntaxError(f"`{spelling}` is too large a number.").at(self._text, offset)
            return self._made(tree.Literal(offset, value))
        number = int(spelling, 16 if token.text[:2] in ("0x", "0X") else 10) if len(spelling) < 40 else 2**64
        if not -(2**63) <= number < 2**63:
            raise ExpressionSyntaxError("A whole number has at most 64 bits.").at(self._text, offset)
        return self._made(tree.Literal(offset, number))

    def _braces(self, opening: Token) -> tree.Node:
        """`{{ x }}` is a pair of brackets; `{k: v}` an object: no object has an object as its key."""
        if self.token.text == "{" and self.token.start == opening.end:
            self._advance()
            node = self.parse()
            if not self.at_closing_braces():
                raise self.unexpected("`}}` was expected.")
            self._advance()
            self._advance()
            return node
        keys, values = [], []
        while not self._at("}"):
            keys.append(self._object_key())
            self._expect(":")
            values.append(self.parse())
            if not self._at("}"):
                self._expect(",")
        self._advance()
        return self._made(tree.ObjectLiteral(opening.start, tuple(keys), tuple(values)))

    def _object_key(self) -> tree.Node:
        """A bare name as key is that text, as in JavaScript; in brackets it is what it names."""
        is_bare = self.token.kind == "name"
        node = self.parse()
        return tree.Literal(node.offset, node.name) if is_bare and isinstance(node, tree.Name) else node

    def at_closing_braces(self) -> bool:
        """Whether `}}` follows."""
        token = self.token
        return token.kind == "sign" and self._text.startswith("}}", token.start)

    def _items(self, closing: str) -> list[tree.Node]:
        items = []
        while not self._at(closing):
            items.append(self.parse())
            if not self._at(closing):
                self._expect(",")
        self._advance()
        return items

    # calls

    def _call(self, name: Token, target: tree.Node | None) -> tree.Node:
        self._advance()
        arguments = self._items(")")
        if target is not None:
            arguments.insert(0, target)
        if name.text == "has" or name.text == "default":
            return self._opt_out(name, arguments)
        if name.text in _MACROS:
            return self._macro(name, arguments)
        if name.text == "now" and not arguments:
            return self._made(tree.Name(name.start, "now"))
        return self._made(tree.Call(name.start, name.text, tuple(arguments)))

    def _opt_out(self, name: Token, arguments: list[tree.Node]) -> tree.Node:
        if name.text == "default":
            if len(arguments) != 2:
                raise self._error("`default` takes a value and what stands in for it: `default(a.b, 0)`.", name)
            return self._made(tree.Chain(name.start, (("??", name.start),), tuple(arguments)))
        if len(arguments) != 1 or not isinstance(arguments[0], tree.Path | tree.Name):
            raise self._error("`has` takes one path: `has(a.b)`.", name)
        return self._made(tree.Has(name.start, arguments[0]))

    def _macro(self, name: Token, arguments: list[tree.Node]) -> tree.Node:
        most = 4 if name.text == "map" else 3
        if not 3 <= len(arguments) <= most or not isinstance(arguments[1], tree.Name):
            sentence = f"`{name.text}` takes a name and an expression: `items.{name.text}(item, …)`."
            raise self._error(sentence, name)
        target, variable, *bodies = arguments
        assert isinstance(variable, tree.Name)
        return self._made(tree.Macro(name.start, name.text, target, variable.name, tuple(bodies)))

    # tokens, sizes, errors

    def _at(self, sign: str) -> bool:
        return self.token.kind == "sign" and self.token.text == sign

    def _advance(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.token = next_token(self._text, token.end)
        return token

    def _expect(self, sign: str) -> None:
        if not self._at(sign):
            raise self.unexpected(f"`{sign}` was expected.")
        self._advance()

    def _made(self, node: tree.Node) -> tree.Node:
        self._count()
        return node

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._too_large("depth", f"This goes more than {MAX_DEPTH} levels deep.")

    def _count(self) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self._too_large("nodes", f"This has more than {MAX_NODES:,} parts.")

    def _too_large(self, limit: str, sentence: str) -> ExpressionError:
        return ExpressionLimitError(sentence, limit=limit).at(self._text, self.token.start)

    def _error(self, sentence: str, token: Token | None = None) -> ExpressionError:
        return ExpressionSyntaxError(sentence).at(self._text, (token or self.token).start)

    def unexpected(self, hint: str, token: Token | None = None) -> ExpressionError:
        """Make the error that a token, or the one that follows, cannot stand where it does."""
        token = token or self.token
        what = "the expression ends here" if token.kind == "end" else f"`{token.text[:40]}` cannot stand here"
        error = ExpressionSyntaxError(f"{what[0].upper()}{what[1:]}. {hint}", hint=hint)
        return error.at(self._text, token.start)
