package transform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// functions are those that the format gives to templates, beside Go's own.
func functions(r *run) template.FuncMap {
	return template.FuncMap{
		stepName:              r.step,
		"separator":           separator,
		"jsonMapFromString":   jsonMap,
		"getXPath":            xpathFirst,
		"getXPathAllOuter":    xpathOuter,
		"getRegexpFirstMatch": regexpFirst,
		"getRegexpAllMatches": regexpAll,
		"safeIndex":           safeIndex,
		"toBool":              toBool,
		"toInt":               toInt,
		"toJson":              toJSON,
		"kindOf":              kindOf,
		"plus1":               func(i int) int { return i + 1 },
		"printf":              printf,
		"title":               title,
	}
}

// separator gives a function that is empty at its first use and the text later.
func separator(text string) func() string {
	used := false
	return func() string {
		if !used {
			used = true
			return ""
		}
		return text
	}
}

func jsonMap(text string) (map[string]any, error) {
	var object map[string]any
	err := json.Unmarshal([]byte(text), &object)
	return object, err
}

// regexpFirst gives the first group of the first match, or the match itself
// where there is no group.
func regexpFirst(text, pattern string) (string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	return group(re.FindStringSubmatch(text)), nil
}

func regexpAll(text, pattern string) ([]string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, match := range re.FindAllStringSubmatch(text, -1) {
		all = append(all, group(match))
	}
	return all, nil
}

func group(match []string) string {
	switch len(match) {
	case 0:
		return ""
	case 1:
		return match[0]
	}
	return match[1]
}

// safeIndex is index that gives nothing where there is nothing.
func safeIndex(list any, i int) any {
	v := reflect.ValueOf(list)
	if !v.IsValid() || v.Kind() != reflect.Slice && v.Kind() != reflect.Array || i < 0 || i >= v.Len() {
		return ""
	}
	return v.Index(i).Interface()
}

func toBool(v any) bool {
	b, err := strconv.ParseBool(strings.TrimSpace(fmt.Sprint(v)))
	return err == nil && b
}

func toInt(v any) int {
	text := strings.TrimSpace(fmt.Sprint(v))
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != f || f > 1<<53 || f < -1<<53 {
		return 0
	}
	return int(f)
}

// toJSON writes a value, with < and & as they are.
func toJSON(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// kindOf gives Go's name of the kind of a value: map, slice, string, float64.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "invalid"
	case json.Number:
		return reflect.Float64.String() // what a number is elsewhere
	}
	return reflect.TypeOf(v).Kind().String()
}

var wide = regexp.MustCompile(`%[-+# 0]*(\*|\d{4,}|\d*\.(\*|\d{4,}))`)

// printf refuses formats that make much out of little.
func printf(format string, args ...any) (string, error) {
	if wide.MatchString(format) {
		return "", fmt.Errorf("the format %q asks for more than 999 columns", format)
	}
	return fmt.Sprintf(format, args...), nil
}

func title(text string) string {
	upper := true
	return strings.Map(func(c rune) rune {
		was := upper
		upper = c == ' ' || c == '\t' || c == '\n'
		if was {
			return []rune(strings.ToUpper(string(c)))[0]
		}
		return c
	}, text)
}
