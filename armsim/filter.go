package armsim

import (
	"fmt"
	"net/http"
	"strings"
)

// filter is a parsed $filter. It knows the part of OData that Azure Resource
// Manager's lists take: eq and ne between a name and a literal, and, or, not,
// parentheses, and the functions startswith, endswith, contains and substringof.
type filter interface {
	match(values func(name string) []string) bool
}

type (
	both    struct{ left, right filter }
	either  struct{ left, right filter }
	negated struct{ inner filter }
	// compare holds if any value of the name passes the test, since tagName has
	// as many values as there are tags.
	compare struct {
		name, operator, value string
	}
	// tagPair is tagName and tagValue together: one tag has to have both.
	tagPair struct{ name, value string }
)

// match holds where both sides hold.
func (f both) match(v func(string) []string) bool { return f.left.match(v) && f.right.match(v) }

// match holds where one side holds.
func (f either) match(v func(string) []string) bool { return f.left.match(v) || f.right.match(v) }

// match holds where the inner filter does not.
func (f negated) match(v func(string) []string) bool { return !f.inner.match(v) }

// match folds case: the service compares names of people and states so, and its
// own examples write active for Active.
func (f compare) match(values func(string) []string) bool {
	want := strings.ToLower(f.value)
	if f.operator == "ne" {
		return !compare{f.name, "eq", f.value}.match(values)
	}
	for _, have := range values(f.name) {
		have = strings.ToLower(have)
		switch f.operator {
		case "eq":
			if have == want {
				return true
			}
		case "startswith":
			if strings.HasPrefix(have, want) {
				return true
			}
		case "endswith":
			if strings.HasSuffix(have, want) {
				return true
			}
		case "contains", "substringof":
			if strings.Contains(have, want) {
				return true
			}
		}
	}
	return false
}

// match asks for one tag with both name and value, by a name that no filter can
// hold.
func (f tagPair) match(values func(string) []string) bool {
	return compare{"tag", "eq", f.name + "\x00" + f.value}.match(values)
}

// filterParser reads a filter by recursive descent: or, and, not, primary.
type filterParser struct {
	tokens []filterToken
	names  []string // allowed, in lower case
	depth  int
}

type filterToken struct {
	text   string
	quoted bool
}

// parseFilter reads a filter in which only the given names stand.
func parseFilter(text string, names []string) (filter, error) {
	tokens, err := filterTokens(text)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: tokens, names: names}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if len(p.tokens) > 0 {
		return nil, fmt.Errorf("%q is not expected", p.tokens[0].text)
	}
	return f, nil
}

// filterTokens splits at blanks, parentheses, commas and quotes. Inside quotes
// two quotes are one.
func filterTokens(text string) ([]filterToken, error) {
	var tokens []filterToken
	for text != "" {
		switch c := text[0]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			text = text[1:]
		case strings.IndexByte("(),", c) >= 0:
			tokens = append(tokens, filterToken{text: text[:1]})
			text = text[1:]
		case c == '\'':
			value, rest, ok := quotedText(text[1:])
			if !ok {
				return nil, fmt.Errorf("a text has no closing quote")
			}
			tokens = append(tokens, filterToken{text: value, quoted: true})
			text = rest
		default:
			end := strings.IndexAny(text, " \t\r\n(),'")
			if end < 0 {
				end = len(text)
			}
			tokens = append(tokens, filterToken{text: text[:end]})
			text = text[end:]
		}
	}
	return tokens, nil
}

// quotedText reads up to the closing quote.
func quotedText(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\'' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), text[i+1:], true
	}
	return "", "", false
}

// take removes the next token if it is the given word.
func (p *filterParser) take(word string) bool {
	if len(p.tokens) == 0 || p.tokens[0].quoted || !strings.EqualFold(p.tokens[0].text, word) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// next removes the next token, whatever it is.
func (p *filterParser) next() (filterToken, error) {
	if len(p.tokens) == 0 {
		return filterToken{}, fmt.Errorf("the filter ends too early")
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t, nil
}

// or reads filters joined by or, which binds weakest.
func (p *filterParser) or() (filter, error) {
	left, err := p.and()
	for err == nil && p.take("or") {
		var right filter
		if right, err = p.and(); err == nil {
			left = either{left, right}
		}
	}
	return left, err
}

// and reads filters joined by and.
func (p *filterParser) and() (filter, error) {
	left, err := p.unary()
	for err == nil && p.take("and") {
		var right filter
		if right, err = p.unary(); err == nil {
			left = conjunction(left, right)
		}
	}
	return left, err
}

// conjunction joins two filters; a tag's name and value become one condition.
func conjunction(left, right filter) filter {
	name, ok := left.(compare)
	value, also := right.(compare)
	if ok && also && name.operator == "eq" && value.operator == "eq" && name.name == "tagname" && value.name == "tagvalue" {
		return tagPair{name.value, value.value}
	}
	return both{left, right}
}

// deepest is how far parentheses may nest; a filter comes from outside.
const deepest = 50

// unary reads a negation, a parenthesis or a condition.
func (p *filterParser) unary() (filter, error) {
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("the filter is nested too deep")
	}
	defer func() { p.depth-- }()
	if p.take("not") {
		inner, err := p.unary()
		return negated{inner}, err
	}
	if p.take("(") {
		inner, err := p.or()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a closing parenthesis is missing")
		}
		return inner, err
	}
	return p.condition()
}

// condition reads a comparison, with the name on either side, or a function.
func (p *filterParser) condition() (filter, error) {
	first, err := p.next()
	if err != nil {
		return nil, err
	}
	switch function := strings.ToLower(first.text); function {
	case "startswith", "endswith", "contains", "substringof":
		if !first.quoted && p.take("(") {
			return p.function(function)
		}
	}
	operator, err := p.next()
	if err != nil {
		return nil, err
	}
	op := strings.ToLower(operator.text)
	if op != "eq" && op != "ne" || operator.quoted {
		return nil, fmt.Errorf("the operator %q is not supported, only eq and ne are", operator.text)
	}
	second, err := p.next()
	if err != nil {
		return nil, err
	}
	if first.quoted && !second.quoted {
		first, second = second, first
	}
	return p.compare(first, op, second)
}

// function reads the arguments of a function. substringof has the text first,
// the others have the name first.
func (p *filterParser) function(name string) (filter, error) {
	first, err := p.next()
	if err != nil {
		return nil, err
	}
	if !p.take(",") {
		return nil, fmt.Errorf("%s takes two arguments", name)
	}
	second, err := p.next()
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, fmt.Errorf("a closing parenthesis is missing")
	}
	if first.quoted {
		first, second = second, first
	}
	return p.compare(first, name, second)
}

// compare makes a condition, unless its name is one that the list cannot be
// filtered by. A name may be a path, such as properties/sessionState.
func (p *filterParser) compare(name filterToken, operator string, value filterToken) (filter, error) {
	folded := strings.ToLower(name.text[strings.LastIndexByte(name.text, '/')+1:])
	for _, n := range p.names {
		if n == folded && !name.quoted {
			return compare{folded, operator, value.text}, nil
		}
	}
	return nil, fmt.Errorf("%q cannot be filtered by, only %s can", name.text, strings.Join(p.names, ", "))
}

// filterNames lists, for the lists that take a $filter, what it may name.
var filterNames = map[string][]string{
	sessionKind:                {"userprincipalname", "sessionstate", "state", "activedirectoryusername", "applicationtype"},
	avd + "/applicationgroups": {"applicationgrouptype"},
	avd + "/appattachpackages": {"hostpool", "hostpoolname", "packagename", "packagefullname", "imagepath", "packagefamilyname", "isactive", "displayname"},
	groupKind:                  {"tagname", "tagvalue"},
	"resources":                {"resourcetype", "name", "resourcegroup", "location", "tagname", "tagvalue"},
}

// filtered combines the request's $filter with the list's own condition. A list
// that takes no filter ignores it, as Azure Resource Manager hands parameters on
// to services that do not know them.
func (c *call) filtered(keep func(*object) bool) (func(*object) bool, reply, bool) {
	text := strings.TrimSpace(c.query["$filter"])
	if text == "" || c.route.kind == nil {
		return keep, reply{}, true
	}
	names, ok := filterNames[c.route.kind.key]
	if !ok {
		return keep, reply{}, true
	}
	f, err := parseFilter(text, names)
	if err != nil {
		return nil, c.badFilter(text, err), false
	}
	return func(obj *object) bool {
		return (keep == nil || keep(obj)) && f.match(func(name string) []string { return c.filterValues(obj, name) })
	}, reply{}, true
}

// badFilter refuses a filter, in the form of the service that was asked.
func (c *call) badFilter(text string, err error) reply {
	if strings.EqualFold(c.target.namespace, avd) {
		return c.failAVD(http.StatusBadRequest, "Invalid filter expression '%s': %s", text, err)
	}
	return c.fail(http.StatusBadRequest, "InvalidFilterInQueryString",
		fmt.Sprintf("Invalid $filter '%s' specified in the query string: %s.", text, err))
}

// filterValues gives the values that an object has for a name of a filter.
func (c *call) filterValues(obj *object, name string) []string {
	properties := propertiesOf(obj.doc)
	switch name {
	case "state":
		name = "sessionstate"
	case "resourcetype":
		name = "type"
	case "resourcegroup":
		t, _ := parsePath(obj.key)
		return []string{t.group}
	case "hostpool", "hostpoolname":
		// The references are ids; the filter names a pool by id or by name.
		refs := texts(properties["hostPoolReferences"])
		for _, ref := range refs {
			refs = append(refs, ref[strings.LastIndexByte(ref, '/')+1:])
		}
		return refs
	case "applicationgrouptype":
		// The service takes its own older word for RemoteApp too.
		if kind := textOf(properties, "applicationGroupType"); kind == "RemoteApp" {
			return []string{kind, "RailApplication", "RailApplications"}
		}
	case "tagname", "tagvalue", "tag":
		return tagValues(obj.doc, name)
	}
	if image, ok := properties["image"].(map[string]any); ok {
		if v, found := member(image, name); found {
			return texts(v)
		}
	}
	if v, found := member(properties, name); found {
		return texts(v)
	}
	v, _ := member(obj.doc, name)
	return texts(v)
}

// tagValues gives the names of the tags, their values, or both as one text.
func tagValues(doc map[string]any, name string) []string {
	tags, _ := doc["tags"].(map[string]any)
	list := make([]string, 0, len(tags))
	for key, value := range tags {
		text := fmt.Sprint(value)
		switch name {
		case "tagname":
			list = append(list, key)
		case "tagvalue":
			list = append(list, text)
		default:
			list = append(list, key+"\x00"+text)
		}
	}
	return list
}

// member finds a member by its name without case.
func member(doc map[string]any, name string) (any, bool) {
	for key, value := range doc {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return nil, false
}

// texts gives the text of a scalar, or of each element of a list.
func texts(v any) []string {
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		var list []string
		for _, e := range x {
			list = append(list, texts(e)...)
		}
		return list
	default:
		return []string{fmt.Sprint(x)}
	}
}

// textOf gives a member that is text, and the empty text where it is not.
func textOf(doc map[string]any, name string) string {
	text, _ := doc[name].(string)
	return text
}

// propertiesOf gives the properties of an envelope; reading a member of a nil
// map is allowed, so callers need not ask whether there are any.
func propertiesOf(doc map[string]any) map[string]any {
	p, _ := doc["properties"].(map[string]any)
	return p
}
