package openapi

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// packMagic begins what Pack makes.
const packMagic = "planeql+\x01"

// Pack puts data into a compressed, checksummed form, with a stamp that says of
// what it was made.
func Pack(data, stamp []byte) []byte {
	body := binary.AppendUvarint(appendText(nil, string(stamp)), uint64(len(data)))
	body = zstdEncoder().EncodeAll(data, body)
	head := binary.LittleEndian.AppendUint32([]byte(packMagic), crc32.Checksum(body, castagnoli))
	return append(head, body...)
}

// Unpack gives what was packed. It is not ok where the form is damaged or has
// another stamp.
func Unpack(form, stamp []byte) (data []byte, ok bool) {
	rest, ok := bytes.CutPrefix(form, []byte(packMagic))
	if !ok || len(rest) < 4 || crc32.Checksum(rest[4:], castagnoli) != binary.LittleEndian.Uint32(rest) {
		return nil, false
	}
	r := reader{text: string(rest[4:])}
	found, length := r.str(), r.count2(maxBlock)
	if r.bad || found != string(stamp) {
		return nil, false
	}
	data, err := zstdDecoder().DecodeAll([]byte(r.text[r.at:]), make([]byte, 0, min(length, 16<<20)))
	return data, err == nil && len(data) == length
}
