package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

func TestRedactURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://h/p": "https://h/p",
		"https://h/p?api-version=1&$filter=a%20eq":     "https://h/p?api-version=1&$filter=a%20eq",
		"https://h/p?$skiptoken=abc":                   "https://h/p?$skiptoken=abc",
		"https://s/c/b?sv=1&sig=a%2Bb&se=2":            "https://s/c/b?sv=1&sig=***&se=2",
		"https://h/op?api-version=1&t=6&c=MII&s=x&h=y": "https://h/op?api-version=1&t=***&c=***&s=***&h=***",
		"https://h/op?s=1":                             "https://h/op?s=1",
		"https://u:p@h/p?Token=x":                      "https://h/p?Token=***",
		"https://u:p@h":                                "https://h",
		"https://h/p@q?a=1":                            "https://h/p@q?a=1",
		"https://h/p?access%5Ftoken=x":                 "https://h/p?access%5Ftoken=***",
		"https://h/p?a=1#access_token=x":               "https://h/p?a=1#***",
		"https://h/p?X-Amz-Credential=AKID%2Fx&X-Amz-Date=1&X-Amz-Signature=0af": "https://h/p?X-Amz-Credential=***&X-Amz-Date=1&X-Amz-Signature=***",
		"https://h/p?x-api-key=k&appKey=a&page=2":                                "https://h/p?x-api-key=***&appKey=***&page=2",
		"":                  "",
		"::not a url?sig=x": "::not a url?sig=***",
	} {
		if got := RedactURL(text); got != want {
			t.Errorf("RedactURL(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestRedactJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"b": 1.50, "a": [null, true]}`:                                             `{"b":1.50,"a":[null,true]}`,
		`{"token":"x","Password":"y","adminPassword":"z"}`:                           `{"token":"***","Password":"***","adminPassword":"***"}`,
		`{"registrationInfo":{"token":"x","expirationTime":"t"}}`:                    `{"registrationInfo":{"token":"***","expirationTime":"t"}}`,
		`{"registrationInfo":{"token":null}}`:                                        `{"registrationInfo":{"token":null}}`,
		`{"protectedSettings":{"a":{"b":1}},"c":2}`:                                  `{"protectedSettings":"***","c":2}`,
		`{"keys":[{"keyName":"key1","value":"x","permissions":"Full"}],"value":"y"}`: `{"keys":[{"keyName":"key1","value":"***","permissions":"Full"}],"value":"y"}`,
		`{"primaryConnectionString":"x","connection_string":"y"}`:                    `{"primaryConnectionString":"***","connection_string":"***"}`,
		`{"nextLink":"https://h/x?$skiptoken=1","sas":"https://s/b?sig=1&se=2"}`:     `{"nextLink":"https://h/x?$skiptoken=1","sas":"https://s/b?sig=***&se=2"}`,
		`{"text":"Bearer abcdefghijklmnopqrstuvwxyz was refused"}`:                   `{"text":"*** was refused"}`,
		`{"jwt":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh"}`:                `{"jwt":"***"}`,
		`{"custom":"x"}`: `{"custom":"***"}`,
		`{"tags":{"tokenType":"x","keyVaultUri":"https://v"}}`: `{"tags":{"tokenType":"x","keyVaultUri":"https://v"}}`,
		``:                          ``,
		`{"token":"x"`:              `"(not JSON, not shown)"`,
		`password=x`:                `"(not JSON, not shown)"`,
		`["a"]`:                     `["a"]`,
		`{"token":"x","token":"y"}`: `{"token":"***","token":"***"}`,
	} {
		if got := string(RedactJSON([]byte(text), "CUSTOM")); got != want {
			t.Errorf("RedactJSON(%s)\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestRedactText(t *testing.T) {
	for text, want := range map[string]string{
		"nothing here": "nothing here",
		"DefaultEndpoints=https;AccountKey=abc==;X=1":                                                   "DefaultEndpoints=https;AccountKey=***;X=1",
		"call https://s/b?sig=abc%3D&x=1 failed":                                                        "call https://s/b?sig=***&x=1 failed",
		"token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig-nature here":                                "token *** here",
		`{"primaryKey": "abc\"d","x":1,"token":"cut`:                                                    `{"primaryKey": "***","x":1,"token":"***`,
		"password=hunter2 was wrong":                                                                    "password=*** was wrong",
		"AWS4-HMAC-SHA256 Credential=AKID/20260101/r/s/aws4_request, SignedHeaders=host, Signature=0af": "AWS4-HMAC-SHA256 Credential=AKID/20260101/r/s/aws4_request, SignedHeaders=host, Signature=***",
		"host:h\nx-amz-security-token:FwoGZXIvYXdzE//abc=\n\nhost":                                      "host:h\nx-amz-security-token:***\n\nhost",
		"sent Basic dXNlcjpwYXNzd29yZA== to":                                                            "sent *** to", "SSWS 00abcdefghijkl refused": "*** refused",
		"Authorization: Token token=y_NbAkKc66ryYTWUXYEu": "Authorization: ***", "sso-key abcdefgh:ijklmnop": "***",
		"X-Api-Key: k-123, other": "X-Api-Key: ***, other", "GET /x?api_key=abc&y=1": "GET /x?api_key=***&y=1",
		"basic authentication is off": "basic authentication is off",
	} {
		if got := RedactText(text); got != want {
			t.Errorf("RedactText(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzRedactJSON holds that masking keeps JSON valid, and that a known secret
// never comes through.
func FuzzRedactJSON(f *testing.F) {
	f.Add([]byte(`{"token":"S3CR3T","a":[{"password":{"b":1}}]}`))
	f.Add([]byte(`{"keys":[{"value":"S3CR3T"}]}`))
	f.Add([]byte(`nope`))
	f.Fuzz(func(t *testing.T, body []byte) {
		out := RedactJSON(body)
		if len(out) > 0 && !json.Valid(out) {
			t.Fatalf("%q became %q", body, out)
		}
		if again := RedactJSON(out); !bytes.Equal(again, out) {
			t.Fatalf("%q became %q when masked again", out, again)
		}
	})
}

func TestLog(t *testing.T) {
	for format, want := range map[LogFormat][]string{
		LogText:  {"POST https://h/x?sig=*** 200", "attempt=2", "id=req-7", `  > {"token":"***"}`, `  < {"password":"***","docSecret":"***"}`, "error=", "https://h/x?sig=*** "},
		LogJSONL: {`"method":"POST"`, `"url":"https://h/x?sig=***"`, `"status":200`, `"attempt":2`, `"requestId":"req-7"`, `"request":{"token":"***"}`, `"response":{"password":"***","docSecret":"***"}`},
	} {
		t.Run(string(format), func(t *testing.T) {
			var out bytes.Buffer
			calls := 0
			tr := New(Options{Log: NewLog(&out, format, "doc_secret"), Base: service(func(*http.Request) (*http.Response, error) {
				if calls++; calls == 1 {
					return nil, refusedErr
				}
				return answer(200, `{"password":"p","docSecret":"q"}`, "x-ms-request-id", "req-7"), nil
			})})
			header := http.Header{"Authorization": {"Bearer S3CR3T"}, "If-Match": {"S3CR3T"}}
			_, err := tr.Do(t.Context(), Request{Method: "POST", URL: "https://h/x?sig=S3CR3T", Header: header, Body: []byte(`{"token":"S3CR3T"}`)})
			if err != nil {
				t.Fatal(err)
			}
			text := out.String()
			for _, part := range want {
				if !strings.Contains(text, part) {
					t.Errorf("no %q in\n%s", part, text)
				}
			}
			if strings.Contains(text, "S3CR3T") {
				t.Errorf("a secret in\n%s", text)
			}
			if format == LogJSONL {
				for line := range strings.Lines(text) {
					if !json.Valid([]byte(line)) {
						t.Errorf("no JSON: %s", line)
					}
				}
			}
		})
	}
}

type brokenWriter struct{ calls int }

func (w *brokenWriter) Write([]byte) (int, error) {
	w.calls++
	return 0, errors.New("disk full")
}

func TestLog_brokenWriterDoesNotMatter(t *testing.T) {
	w := &brokenWriter{}
	tr := New(Options{Log: NewLog(w, LogText), Base: service(func(*http.Request) (*http.Response, error) { return answer(200, strings.Repeat("1", 9000)), nil })})
	for range 3 {
		if _, err := tr.Do(t.Context(), get(there)); err != nil {
			t.Fatal(err)
		}
	}
	if w.calls != 1 {
		t.Errorf("%d writes to a broken writer", w.calls)
	}
}

func TestObserve(t *testing.T) {
	var seen []Exchange
	calls := 0
	tr := New(Options{Observe: func(e Exchange) { seen = append(seen, e) }, Base: service(func(*http.Request) (*http.Response, error) {
		if calls++; calls == 1 {
			return nil, refusedErr
		}
		return answer(404, "no", "x-ms-correlation-request-id", "c1"), nil
	})})
	if _, err := tr.Do(t.Context(), get(there)); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 || seen[0].Err == nil || seen[0].Status != 0 || seen[1].Attempt != 2 ||
		seen[1].Status != 404 || seen[1].RequestID != "c1" || seen[1].Bytes != 2 || seen[1].Provider != "azure" {
		t.Errorf("%+v", seen)
	}
	if fault.As(seen[0].Err) != nil {
		t.Error("an observer is told the bare error")
	}
}
