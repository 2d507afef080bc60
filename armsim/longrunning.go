package armsim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/planeql/planeql/internal/fault"
)

// Style is how a service answers the request that begins a long-running
// operation.
type Style string

// The styles met in recorded traffic. The zero Style is that of the service in
// question: Compute answers a PUT with an Azure-AsyncOperation, its actions and
// deletions with that and a Location; Azure Resource Manager deletes a resource
// group behind a Location; Azure Virtual Desktop is done at once.
const (
	// Immediate is done with the first answer.
	Immediate Style = "none"
	// AsyncOperation gives an Azure-AsyncOperation header.
	AsyncOperation Style = "aao"
	// LocationOnly gives a Location header.
	LocationOnly Style = "loc"
	// AsyncAndLocation gives both headers.
	AsyncAndLocation Style = "aao+loc"
	// OperationLocation gives an Operation-Location header.
	OperationLocation Style = "operation-location"
	// AddressOnly is done with the first answer, whose Location is nothing but the
	// address of the resource, and relative.
	AddressOnly Style = "address"
	// AsyncDone is done with the first answer, which has an Azure-AsyncOperation
	// header all the same.
	AsyncDone Style = "aao-done"
	// BodyOnly has no header: the provisioningState of the resource tells.
	BodyOnly Style = "body"
	// NoHeader is 202 with neither header: the resource has to be asked.
	NoHeader Style = "bare"
)

// Answer is how a service answers the polls of an operation.
type Answer string

// The forms of polls met in recorded traffic. The zero Answer has name, status
// and times where the link is an Azure-AsyncOperation, and a bare status code
// where it is a Location.
const (
	// AnswerStatus is the status alone: {"status":"InProgress"}.
	AnswerStatus Answer = "status"
	// AnswerFull is the full status document, behind a Location too.
	AnswerFull Answer = "full"
	// AnswerAccepted is HTTP 202 with a status as long as it goes on.
	AnswerAccepted Answer = "accepted"
	// AnswerResource ends in the resource itself, without a status.
	AnswerResource Answer = "resource"
	// AnswerEmpty ends in 200 without a body.
	AnswerEmpty Answer = "empty"
	// AnswerNoContent ends in 204.
	AnswerNoContent Answer = "no-content"
	// AnswerLower writes states in lower case, such as creating and succeeded.
	AnswerLower Answer = "lower"
	// AnswerMoved gives a new Location with each poll; the old one is 404.
	AnswerMoved Answer = "moved"
	// AnswerThrottled answers the first poll with 429 and a body of plain text.
	AnswerThrottled Answer = "throttled"
	// AnswerGone ends a deletion in 404.
	AnswerGone Answer = "gone"
)

// End is how an operation ends.
type End string

// The ends of an operation; the zero End is Succeeded.
const (
	Succeeded End = "succeeded"
	Failed    End = "failed"   // HTTP 200 with status Failed and an error; nothing was done
	Canceled  End = "canceled" // the same with Canceled
	Never     End = "never"    // every poll says that it goes on
)

// LongRunning says how writes of a resource type run. Members that are left out
// are as the service has them. See [WithLongRunning] and [ParseLongRunning].
type LongRunning struct {
	Type   string `yaml:"type"`   // such as Microsoft.Compute/virtualMachines; empty: every type
	Method string `yaml:"method"` // PUT, PATCH, DELETE or POST; empty: all of them
	Style  Style  `yaml:"style"`
	Answer Answer `yaml:"answer"`
	End    End    `yaml:"end"`
	// Status of the first answer: 200, 201 or 202; 0: 201 or 200 for a PUT, 202
	// for others, and for a PUT that a Location alone tells of.
	Status int `yaml:"status"`
	// Polls that say that it goes on; 0: as [WithOperations] says; below 0: none.
	Polls int `yaml:"polls"`
	// RetryAfter of each answer; 0: as [WithOperations] says; below 0: no header.
	RetryAfter time.Duration `yaml:"retryAfter"`
	// Code and Message of the error in which a failing operation ends.
	Code    string `yaml:"code"`
	Message string `yaml:"message"`
}

// WithLongRunning makes writes run as the rules say. Of two rules that fit, the
// later one holds; rules of options go before those of a scenario.
func WithLongRunning(rules ...LongRunning) Option {
	return func(s *settings) { s.longRunning = append(s.longRunning, rules...) }
}

// longRunningWords are the values of the members of a rule that are words.
var longRunningWords = map[string][]string{
	"method": {http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodPost},
	"style": {
		string(Immediate), string(AsyncOperation), string(LocationOnly), string(AsyncAndLocation), string(OperationLocation),
		string(AddressOnly), string(AsyncDone), string(BodyOnly), string(NoHeader),
	},
	"answer": {
		string(AnswerStatus), string(AnswerFull), string(AnswerAccepted), string(AnswerResource), string(AnswerEmpty),
		string(AnswerNoContent), string(AnswerLower), string(AnswerMoved), string(AnswerThrottled), string(AnswerGone),
	},
	"end":    {string(Succeeded), string(Failed), string(Canceled), string(Never)},
	"status": {"200", "201", "202"},
}

// ParseLongRunning reads the form of the command line: rules separated by
// semicolons, each a list of members separated by commas, such as
//
//	style=aao,polls=3;type=Microsoft.Compute/virtualMachines,method=POST,end=failed,code=AllocationFailed
//
// Members are type, method, style, answer, end, status, polls, retry-after, code
// and message. polls=0 ends with the first poll, retry-after=0 leaves the header
// out. The error is a *fault.Error.
func ParseLongRunning(text string) ([]LongRunning, error) {
	var rules []LongRunning
	for part := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		var rule LongRunning
		for member := range strings.SplitSeq(part, ",") {
			name, value, _ := strings.Cut(member, "=")
			if err := rule.parse(strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)); err != nil {
				return nil, err
			}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// parse reads one member of a rule.
func (r *LongRunning) parse(name, value string) error {
	switch name {
	case "type":
		r.Type = value
	case "method":
		r.Method = strings.ToUpper(value)
	case "style":
		r.Style = Style(value)
	case "answer":
		r.Answer = Answer(value)
	case "end":
		r.End = End(value)
	case "status", "polls":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return longRunningSyntax(name+"="+value, "%s is a whole number", name)
		}
		if name == "status" {
			r.Status = n
			break
		}
		if r.Polls = n; n == 0 {
			r.Polls = -1
		}
	case "retry-after":
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return longRunningSyntax(name+"="+value, "a duration is written like 200ms or 2s")
		}
		if r.RetryAfter = d; d == 0 {
			r.RetryAfter = -1
		}
	case "code":
		r.Code = value
	case "message":
		r.Message = value
	default:
		known := []string{"type", "method", "style", "answer", "end", "status", "polls", "retry-after", "code", "message"}
		return longRunningSyntax(name, "%s", fault.DidYouMean(name, known, "members are "+strings.Join(known, ", ")))
	}
	return r.check()
}

// check refuses words that are none of their kind.
func (r *LongRunning) check() error {
	words := map[string]string{"method": r.Method, "style": string(r.Style), "answer": string(r.Answer), "end": string(r.End)}
	if r.Status != 0 {
		words["status"] = strconv.Itoa(r.Status)
	}
	for _, name := range sortedKeys(words) {
		known, word := longRunningWords[name], words[name]
		if word != "" && !slices.Contains(known, word) {
			return longRunningSyntax(name+"="+word, "%s",
				fault.DidYouMean(word, known, "values of "+name+" are "+strings.Join(known, ", ")))
		}
	}
	return nil
}

// longRunningSyntax makes the error for a rule that cannot be read.
func longRunningSyntax(part, hint string, args ...any) error {
	return fault.New(fault.InvalidFlag, "%q says nothing about long-running operations", part).WithHint(hint, args...)
}

// UnmarshalYAML reads a rule of a scenario. As on the command line, a zero that
// is written is not the same as none.
func (r *LongRunning) UnmarshalYAML(node *yaml.Node) error {
	type plain LongRunning
	if err := node.Load((*plain)(r), yaml.WithKnownFields()); err != nil {
		return err
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		switch name := node.Content[i].Value; {
		case name == "polls" && r.Polls == 0:
			r.Polls = -1
		case name == "retryAfter" && r.RetryAfter == 0:
			r.RetryAfter = -1
		}
	}
	return nil
}

// ruleOf gives how the write runs: by the last rule that fits, with what the
// rule leaves out as the service has it.
func (c *call) ruleOf() LongRunning {
	rule := LongRunning{}
	for _, r := range slices.Backward(c.sim.settings.longRunning) {
		if (r.Method == "" || r.Method == c.req.Method) && (r.Type == "" || c.route.kind != nil && strings.EqualFold(r.Type, c.route.kind.name())) {
			rule = r
			break
		}
	}
	if rule.Style == "" {
		rule.Style = c.ownStyle()
	}
	if rule.End == "" {
		rule.End = Succeeded
	}
	switch {
	case rule.Polls == 0:
		rule.Polls = c.sim.settings.polls
	case rule.Polls < 0:
		rule.Polls = 0
	}
	if rule.RetryAfter == 0 {
		rule.RetryAfter = c.sim.settings.retryAfter
	}
	return rule
}

// name writes the type as its document does; what stands below no provider is
// called after Microsoft.Resources, as its type member has it.
func (k *kind) name() string {
	switch k.key {
	case groupKind:
		return "Microsoft.Resources/resourceGroups"
	case subscriptionKind:
		return "Microsoft.Resources/subscriptions"
	}
	return k.namespace + "/" + strings.Join(k.types, "/")
}

// ownStyle is how the service in question runs the write.
func (c *call) ownStyle() Style {
	method := c.req.Method
	switch {
	case strings.EqualFold(c.target.namespace, compute) && method == http.MethodPut:
		return AsyncOperation
	case strings.EqualFold(c.target.namespace, compute) && (method == http.MethodDelete || method == http.MethodPost):
		return AsyncAndLocation
	case method == http.MethodDelete && c.target.kindKey() == groupKind:
		return LocationOnly
	}
	return Immediate
}
