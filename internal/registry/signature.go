package registry

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// Key is a public key that signatures of documents are checked with. The times
// are those of its certificate; zero ones are no limit.
type Key struct {
	Public    ed25519.PublicKey
	NotBefore time.Time
	NotAfter  time.Time
}

// ParseKeys reads Ed25519 keys from PEM blocks: certificates and public keys,
// these also as the 32 bytes alone, as the publishers of documents write them.
func ParseKeys(text []byte) ([]Key, error) {
	var keys []Key
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			if public, ok := cert.PublicKey.(ed25519.PublicKey); ok {
				keys = append(keys, Key{public, cert.NotBefore, cert.NotAfter})
			}
			continue
		}
		if parsed, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
			if public, ok := parsed.(ed25519.PublicKey); ok {
				keys = append(keys, Key{Public: public})
			}
			continue
		}
		if block.Type == "PUBLIC KEY" && len(block.Bytes) == ed25519.PublicKeySize {
			keys = append(keys, Key{Public: block.Bytes})
		}
	}
	if len(keys) == 0 {
		return nil, fault.New(fault.InvalidFlag, "there is no Ed25519 key in the file").
			WithHint("it holds PEM blocks that begin with -----BEGIN PUBLIC KEY----- or -----BEGIN CERTIFICATE-----")
	}
	return keys, nil
}

// The states of signatures, as they are told.
const (
	Verified   = "verified"
	NotSigned  = "not signed"
	NotChecked = "signature not checked: no key"
)

// timestampSize is the length of a time in Go's binary form of version 1, which
// stands in front of a signature.
const timestampSize = 15

// verify checks the signature of every document. With a key, each must have one
// that is right. Without, it tells whether there are any.
func verify(files map[string][]byte, keys []Key) (state string, err error) {
	signed := false
	for name := range files {
		signed = signed || strings.HasSuffix(name, ".sig")
	}
	switch {
	case len(keys) == 0 && signed:
		return NotChecked, nil
	case len(keys) == 0:
		return NotSigned, nil
	}
	for _, name := range documentNames(files) {
		if err := verifyFile(name, files[name], files[name+".sig"], keys); err != nil {
			return "", err
		}
	}
	return Verified, nil
}

// verifyFile checks one signature: it is over the document followed by the time
// at which it was made.
func verifyFile(name string, document, signature []byte, keys []Key) error {
	if signature == nil {
		return fault.New(fault.DocumentInvalid, "%s is not signed", name).
			WithHint("nothing was installed; without --registry-key it would be, unchecked")
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(signature)))
	if err != nil || len(raw) != ed25519.SignatureSize && len(raw) != timestampSize+ed25519.SignatureSize {
		return fault.New(fault.DocumentInvalid, "the signature of %s cannot be read", name).Because(err)
	}
	stamp, sum := raw[:len(raw)-ed25519.SignatureSize], raw[len(raw)-ed25519.SignatureSize:]
	var made time.Time
	if len(stamp) > 0 {
		if err := made.UnmarshalBinary(stamp); err != nil {
			return fault.New(fault.DocumentInvalid, "the signature of %s has no time", name).Because(err)
		}
	}
	message := slices.Concat(document, stamp)
	for _, key := range keys {
		if ed25519.Verify(key.Public, message, sum) {
			return key.within(made, name)
		}
	}
	return fault.New(fault.DocumentInvalid, "the signature of %s is wrong", name).
		WithDetail("the document is not what any of the %d keys has signed", len(keys)).
		WithHint("nothing was installed; the document was changed, or was signed with another key")
}

// within holds the time of a signature to the life of the certificate.
func (k Key) within(made time.Time, name string) error {
	if k.NotBefore.IsZero() || made.IsZero() || !made.Before(k.NotBefore) && !made.After(k.NotAfter) {
		return nil
	}
	return fault.New(fault.DocumentInvalid, "the signature of %s was made when its certificate was not valid", name).
		WithDetail("made %s, valid %s to %s", made.UTC().Format(time.RFC3339),
			k.NotBefore.UTC().Format(time.RFC3339), k.NotAfter.UTC().Format(time.RFC3339))
}

// documentNames gives the files that are no signatures, in order.
func documentNames(files map[string][]byte) []string {
	var names []string
	for name := range files {
		if path.Ext(name) != ".sig" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
