package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// errTooLarge is the error of an answer above Options.MaxBody.
var errTooLarge = errors.New("the answer is too large")

// largestScratch is how large a scratch buffer may be that is kept for later
// answers.
const largestScratch = 16 << 20

var scratch = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readAll reads a body of at most limit bytes. Rows point into what it gives
// and keep it alive, so it is exactly as large as the answer: where the length
// is not told, as with gzip, the answer is gathered in a scratch buffer first.
func readAll(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, errTooLarge
	}
	if resp.ContentLength >= 0 {
		body := make([]byte, resp.ContentLength)
		_, err := io.ReadFull(resp.Body, body)
		if err == io.EOF && len(body) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return body, err
	}
	buffer, ok := scratch.Get().(*bytes.Buffer)
	if !ok {
		buffer = new(bytes.Buffer)
	}
	buffer.Reset()
	defer func() {
		if buffer.Cap() <= largestScratch {
			scratch.Put(buffer)
		}
	}()
	n, err := buffer.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, errTooLarge
	}
	return bytes.Clone(buffer.Bytes()), nil
}
