package cli

import (
	"errors"
	"strings"
	"unicode"

	"github.com/reeflective/readline"
	"github.com/reeflective/readline/inputrc"

	planeql "github.com/planeql/planeql"
)

// terminalEditor is the line editor on the process's terminal.
type terminalEditor struct{ shell *readline.Shell }

// newReadline makes the line editor of [System].
func newReadline(o EditorOptions) Editor {
	rl := readline.NewShell()
	rl.Prompt.Primary(o.Prompt)
	rl.AcceptMultiline = func(line []rune) bool { return o.Finished(string(line)) }
	rl.Completer = func(line []rune, cursor int) readline.Completions {
		return candidates(line, cursor, o.Complete)
	}
	// Names are matched without case everywhere. The settings exist, so the
	// errors have nothing to say.
	_ = rl.Config.Set("completion-ignore-case", true)
	// A statement that is pasted keeps its line breaks and runs as one.
	_ = rl.Config.Set("enable-bracketed-paste", true)
	// Tab shows what there is to choose from rather than the first choice alone.
	for _, keys := range []string{"emacs", "emacs-standard", "vi-insert"} {
		_ = rl.Config.Bind(keys, inputrc.Unescape(`\C-I`), "menu-complete", false)
	}
	if o.History != "" {
		if source, err := readline.NewHistoryFromFile(o.History); err == nil {
			rl.History.Add("history", source)
		}
	}
	return terminalEditor{rl}
}

// Readline implements [Editor].
func (e terminalEditor) Readline() (string, error) {
	text, err := e.shell.Readline()
	if errors.Is(err, readline.ErrInterrupt) {
		return "", ErrDropped
	}
	return text, err
}

// candidates offers completions to the editor. It replaces the word back to the
// last blank, whereas a completion replaces the last part of a dotted name; what
// stands between is put in front.
func candidates(line []rune, cursor int, complete func(string, int) []planeql.Completion) readline.Completions {
	text := string(line)
	at := len(string(line[:cursor]))
	word := text[strings.LastIndexFunc(text[:at], unicode.IsSpace)+1 : at]
	var list []readline.Completion
	for _, c := range complete(text, at) {
		kept := len(word) - (at - c.Start)
		if kept < 0 {
			continue
		}
		list = append(list, readline.Completion{
			Value: word[:kept] + c.Text, Display: c.Text, Description: c.Description, Tag: c.Kind,
		})
	}
	all := readline.CompleteRaw(list)
	all.PREFIX = word
	return all
}
