package syntax

import (
	"math/big"
	"strings"
)

// Operators and literals of MySQL and SQLite.

// regexpOperator makes a REGEXP 'p' of DuckDB's ~, which matches the whole
// text.
func regexpOperator(tokens []Token, at int) []Edit {
	if at == 0 || at+1 >= len(tokens) || tokens[at+1].Kind != String || tokens[at+1].Text[0] != '\'' {
		return nil
	}
	start, operator := tokens[at].Start, "~"
	if tokens[at-1].Is("NOT") {
		start, operator = tokens[at-1].Start, "!~"
	}
	pattern := tokens[at+1].Text
	return []Edit{
		{start, tokens[at].End, operator},
		replace(tokens[at+1], "'(?s).*(?:"+pattern[1:len(pattern)-1]+").*'"),
	}
}

// limitPair makes LIMIT skip, count of the two numbers.
func limitPair(tokens []Token) []Edit {
	if len(tokens) < 4 || tokens[1].Kind != Number || !tokens[2].IsSymbol(",") || tokens[3].Kind != Number {
		return nil
	}
	return []Edit{{tokens[1].Start, tokens[3].End, tokens[3].Text + " OFFSET " + tokens[1].Text}}
}

// hexadecimal gives the decimal form of 0x1F, which DuckDB reads as 0 with the
// alias x1F.
func hexadecimal(t Token) []Edit {
	if len(t.Text) < 3 || t.Text[0] != '0' || t.Text[1]|0x20 != 'x' {
		return nil
	}
	n, ok := new(big.Int).SetString(t.Text[2:], 16)
	if !ok {
		return nil
	}
	return []Edit{replace(t, n.String())}
}

// bytesLiteral gives x'61' as bytes and b'101' as a number; DuckDB reads the
// letter as a part of the text.
func bytesLiteral(tokens []Token) []Edit {
	if len(tokens) < 2 || tokens[1].Kind != String || tokens[1].Text[0] != '\'' || tokens[1].Start != tokens[0].End {
		return nil
	}
	text := strings.Trim(tokens[1].Text, "'")
	if tokens[0].Is("X") {
		return []Edit{replace(tokens[0], "unhex("), insert(tokens[1].End, ")")}
	}
	n, ok := new(big.Int).SetString(text, 2)
	if !ok {
		return nil
	}
	return []Edit{{tokens[0].Start, tokens[1].End, n.String()}}
}
