package transport

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Masked stands where a secret was.
const Masked = "***"

// secretQuery are names of query parameters whose values are secrets, in lower
// case.
var secretQuery = map[string]bool{
	"sig": true, "token": true, "access_token": true, "refresh_token": true, "id_token": true, "code": true,
	"key": true, "apikey": true, "api_key": true, "api-key": true, "password": true, "secret": true,
	"client_secret": true, "client_assertion": true, "subscription-key": true, "sharedaccesssignature": true,
	"x-amz-signature": true, "x-amz-security-token": true, "x-goog-signature": true, "signature": true,
	"x-amz-credential": true, "x-goog-credential": true, "x-api-key": true, "api_token": true, "apitoken": true,
	"auth": true, "auth_token": true, "authtoken": true, "private_token": true, "accesskey": true, "access_key": true,
	"application_key": true, "app_key": true, "appkey": true, "authorization": true, "sessiontoken": true, "passwd": true,
}

// RedactURL gives a URL for people: without user information and with secret
// query values masked. The links under which Azure lets an operation be polled
// carry a signature in c, s and h, and who has one can use it.
func RedactURL(text string) string {
	head, query, found := strings.Cut(text, "?")
	head = redactUser(head)
	if !found {
		return head
	}
	query, fragment, hasFragment := strings.Cut(query, "#")
	parts := strings.Split(query, "&")
	poll := isPollLink(parts)
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		name = strings.ToLower(name)
		if secretQuery[name] || poll && len(name) == 1 && strings.Contains("tcsh", name) {
			parts[i] = part[:len(part)-len(afterEqual(part))] + Masked
		}
	}
	out := head + "?" + strings.Join(parts, "&")
	if hasFragment && fragment != "" {
		out += "#" + Masked
	}
	return out
}

// afterEqual gives the value of a query part; a part without a value is masked
// whole, since a bare token is written that way.
func afterEqual(part string) string {
	_, value, found := strings.Cut(part, "=")
	if !found {
		return part
	}
	return value
}

// isPollLink tells by the names of its parameters whether a query belongs to a
// signed link: s and h never stand alone.
func isPollLink(parts []string) bool {
	seen := map[string]bool{}
	for _, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		seen[strings.ToLower(name)] = true
	}
	return seen["s"] && seen["h"] || seen["c"] && seen["s"]
}

// redactUser takes name and password out of the authority of a URL. Only the last
// @ before the path ends them: passwords may hold one unescaped.
func redactUser(head string) string {
	scheme, rest, found := strings.Cut(head, "://")
	if !found {
		return head
	}
	authority, path, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return head
	}
	out := scheme + "://" + authority[at+1:]
	if len(path) > 0 || strings.HasSuffix(rest, "/") {
		out += "/" + path
	}
	return out
}

// textSecrets finds secrets inside running text: signed tokens, and what stands
// behind the name of a way to sign in. AWS's Credential names a key and is no
// secret, the signature is.
var textSecrets = regexp.MustCompile(
	`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?` +
		`|(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{16,}` +
		`|\b[Bb](?:asic|ASIC)\s+(?:[A-Za-z0-9+/]*[0-9][A-Za-z0-9+/]*={0,2}|[A-Za-z0-9+/]{6,}={1,2})` + // "basic authentication" is none
		`|(?i)\b(?:ssws|sso-key)\s+[A-Za-z0-9._~+/:=-]{12,}` +
		`|(?i)\btoken token=[A-Za-z0-9._~+/=-]+`)

// namedSecrets finds secrets behind their names, as in a query, a connection
// string, a header, or JSON that was cut and cannot be read as such. Services
// that check signatures print the signed headers where they do not agree.
var namedSecrets = regexp.MustCompile(
	`(?i)(\b(?:sig|signature|accountkey|sharedaccesskey|password|pwd|client_secret|access_token|refresh_token|api[_-]?key|x-amz-security-token)=)[^&;,\s"'<>]+` +
		`|(?i)(\b(?:x-amz-security-token|x-api-key|api-key|dd-api-key|dd-application-key):\s*)[^\s,;"'<>]+` +
		`|(?i)("[a-z_]*(?:token|password|secret|key|connectionstring)"\s*:\s*")(?:[^"\\]|\\.)*`)

// RedactText masks what looks like a secret inside running text, such as the
// message of a service.
func RedactText(text string) string {
	text = textSecrets.ReplaceAllLiteralString(text, Masked)
	return namedSecrets.ReplaceAllString(text, "${1}${2}${3}"+Masked)
}

// secretNames are names of members whose values are secrets, folded by fold.
var secretNames = map[string]bool{
	"token": true, "password": true, "secret": true, "key": true, "pwd": true, "passphrase": true,
	"connectionstring": true, "accesstoken": true, "refreshtoken": true, "idtoken": true, "authorization": true,
	"protectedsettings": true, "sastoken": true, "sasuri": true, "sasurl": true, "accesssas": true,
	"clientassertion": true, "privatekey": true, "credentials": true,
}

// secretEndings mark a member as secret by how its folded name ends:
// adminPassword, primaryKey, storageAccountAccessKey, primaryConnectionString.
var secretEndings = []string{
	"password", "secret", "secrettext", "secretvalue", "accesstoken", "authtoken", "sastoken", "registrationtoken",
	"connectionstring", "primarykey", "secondarykey", "accesskey", "accountkey", "apikey", "sharedkey", "privatekey",
	"masterkey", "sharedaccesskey", "encryptionkey", "signingkey", "instrumentationkey", "subscriptionkey",
}

// fold makes names comparable that differ in case, underscores and hyphens.
func fold(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}

// isSecretName tells whether the member holds a secret by its name, or by
// being among the names that the caller knows of.
func isSecretName(name string, more []string) bool {
	folded := fold(name)
	if secretNames[folded] {
		return true
	}
	for _, ending := range secretEndings {
		if strings.HasSuffix(folded, ending) {
			return true
		}
	}
	for _, other := range more {
		if fold(other) == folded {
			return true
		}
	}
	return false
}

// RedactJSON gives a JSON text with the values of secret members masked, and
// links and tokens inside other strings. More names of secret members may be
// given; case, underscores and hyphens do not count. Key order and numbers stay
// as sent, blanks go. Text that is not JSON becomes a JSON string that says so,
// since nothing in it can be told apart.
func RedactJSON(body []byte, more ...string) []byte {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	lenient := []jsontext.Options{
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(true),
	}
	var out bytes.Buffer
	r := redaction{
		in:   jsontext.NewDecoder(bytes.NewBuffer(body), lenient...),
		out:  jsontext.NewEncoder(&out, lenient...),
		more: more,
	}
	for {
		err := r.step()
		if errors.Is(err, io.EOF) && out.Len() > 0 {
			return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
		}
		if err != nil {
			return []byte(`"(not JSON, not shown)"`)
		}
	}
}

// errSecond is the error of text that goes on behind a JSON value.
var errSecond = errors.New("a second value")

// redaction copies JSON from in to out, token by token.
type redaction struct {
	in   *jsontext.Decoder
	out  *jsontext.Encoder
	more []string
	keys int // depth of the array that is the member "keys", the answer of a listKeys action; 0: none
}

// step copies a token, or a name with its whole value where that is a secret.
func (r *redaction) step() error {
	isName := r.atName()
	second := r.in.StackDepth() == 0 && r.in.InputOffset() > 0
	token, err := r.in.ReadToken()
	if err != nil {
		return err
	}
	if second {
		return errSecond
	}
	if token.Kind() != '"' {
		return r.out.WriteToken(token)
	}
	text := token.String()
	if !isName {
		return r.out.WriteToken(jsontext.String(redactString(text)))
	}
	if err := r.out.WriteToken(jsontext.String(text)); err != nil {
		return err
	}
	return r.afterName(text)
}

// atName tells whether the next token is the name of a member.
func (r *redaction) atName() bool {
	kind, length := r.in.StackIndex(r.in.StackDepth())
	return kind == '{' && length%2 == 0
}

// afterName masks the value of a secret member. Null, true and false stay: they
// tell that nothing is set, and hide nothing.
func (r *redaction) afterName(name string) error {
	depth := r.in.StackDepth()
	if depth <= r.keys {
		r.keys = 0
	}
	secret := isSecretName(name, r.more) || r.keys > 0 && strings.EqualFold(name, "value")
	next := r.in.PeekKind()
	if strings.EqualFold(name, "keys") && next == '[' {
		r.keys = depth
	}
	if !secret || next == 'n' || next == 't' || next == 'f' {
		return nil
	}
	if err := r.in.SkipValue(); err != nil {
		return err
	}
	return r.out.WriteToken(jsontext.String(Masked))
}

// redactString masks what is secret inside a string value: links carry
// signatures, messages carry tokens.
func redactString(text string) string {
	if strings.Contains(text, "://") && strings.Contains(text, "?") && !strings.ContainsAny(text, " \n") {
		return RedactText(RedactURL(text))
	}
	return RedactText(text)
}
