package duck

import "testing"

func TestCanonicalPolicy(t *testing.T) {
	for _, c := range []struct {
		left, right string
		equal       bool
	}{
		{`{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}`, `{"Statement": [{"Resource": ["*"], "Action": ["S3:getobject"], "Effect": "Allow"}]}`, true},
		{`{"Statement": [{"Action": ["a", "b"]}, {"Action": "c"}]}`, `{"Statement": [{"Action": "c"}, {"Action": ["b", "a", "b"]}]}`, true},
		{`{"Statement": [{"Effect": "Allow", "Action": "a"}, {"Effect": "Deny", "Action": "b"}]}`, `{"Statement": [{"Effect": "Deny", "Action": "a"}, {"Effect": "Allow", "Action": "b"}]}`, false},
		{`{"Principal": "*"}`, `{"Principal": {"AWS": ["*"]}}`, true},
		{`{"Principal": {"AWS": "*"}}`, `{"Principal": {"Service": "*"}}`, false},
		{`{"Condition": {"Bool": {"aws:SecureTransport": true}}}`, `{"Condition": {"Bool": {"aws:SecureTransport": "true"}}}`, true},
		{`{"Resource": "arn:a"}`, `{"Resource": "ARN:A"}`, false},
		{`{"NotAction": "a"}`, `{"Action": "a"}`, false},
		{`[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]`, `[{"Value": "2", "Key": "b"}, {"Value": "1", "Key": "a"}]`, true},
		{`[]`, `{}`, false},
		{`{"a": null}`, `{}`, false},
	} {
		left, err := canonicalPolicy(c.left)
		right, other := canonicalPolicy(c.right)
		if err != nil || other != nil || (left == right) != c.equal {
			t.Errorf("%s and %s: %s, %s; %v %v", c.left, c.right, left, right, err, other)
		}
	}
	for _, text := range []string{"", "{", "{} {}", "yes"} {
		if _, err := canonicalPolicy(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
