package syntax

// call is a function call in a list of tokens, by the places of its tokens.
type call struct {
	name, open, end int   // the word, "(" and ")"
	commas          []int // between its arguments
}

// calls gives the calls of functions by a plain word, inner ones before outer
// ones. A call that is not closed is left out: the parser says so.
func calls(tokens []Token) []call {
	var list, open []call
	for i, t := range tokens {
		switch {
		case t.IsSymbol("(") || t.IsSymbol("[") || t.IsSymbol("{"):
			c := call{name: -1, open: i}
			if i > 0 && tokens[i-1].Kind == Word && t.Text == "(" && (i < 2 || !tokens[i-2].IsSymbol(".")) {
				c.name = i - 1
			}
			open = append(open, c)
		case len(open) == 0:
		case t.IsSymbol(","):
			last := &open[len(open)-1]
			last.commas = append(last.commas, i)
		case t.IsSymbol(")") || t.IsSymbol("]") || t.IsSymbol("}"):
			c := open[len(open)-1]
			open = open[:len(open)-1]
			if c.end = i; c.name >= 0 {
				list = append(list, c)
			}
		}
	}
	return list
}

// arguments gives the number of arguments.
func (c call) arguments() int {
	if c.end == c.open+1 {
		return 0
	}
	return len(c.commas) + 1
}

// argument gives the tokens [from, to) of an argument, counted from 0.
func (c call) argument(n int) (from, to int) {
	from, to = c.open+1, c.end
	if n > 0 {
		from = c.commas[n-1] + 1
	}
	if n < len(c.commas) {
		to = c.commas[n]
	}
	return from, to
}

// literal gives the text between the quotes of an argument that is one string
// in single quotes.
func (c call) literal(tokens []Token, n int) (string, bool) {
	if n >= c.arguments() {
		return "", false
	}
	from, to := c.argument(n)
	if to != from+1 || tokens[from].Kind != String || tokens[from].Text[0] != '\'' {
		return "", false
	}
	text := tokens[from].Text
	return text[1 : len(text)-1], true
}

// top finds a word of the call that stands outside all brackets inside it, or
// gives -1.
func (c call) top(tokens []Token, word string) int {
	depth := 0
	for i := c.open + 1; i < c.end; i++ {
		switch t := tokens[i]; {
		case t.IsSymbol("(") || t.IsSymbol("[") || t.IsSymbol("{"):
			depth++
		case t.IsSymbol(")") || t.IsSymbol("]") || t.IsSymbol("}"):
			depth--
		case depth == 0 && t.Is(word):
			return i
		}
	}
	return -1
}
