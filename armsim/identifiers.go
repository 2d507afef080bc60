package armsim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
)

// identifiers makes GUIDs and draws that follow from the seed and from what
// they are for, never from the order of calls: a concurrent run gives the same
// ones.
type identifiers struct{ seed int64 }

// newIdentifiers makes the identifiers of a seed.
func newIdentifiers(seed int64) *identifiers { return &identifiers{seed: seed} }

// derive gives the GUID of the n-th thing of a purpose. It has the form of a
// random (version 4) one.
func (i *identifiers) derive(purpose string, n uint64) string {
	var head [16]byte
	binary.BigEndian.PutUint64(head[:8], uint64(i.seed))
	binary.BigEndian.PutUint64(head[8:], n)
	sum := sha256.Sum256(append(head[:], purpose...))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	text := hex.EncodeToString(sum[:16])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// draw gives a number in [0, 1) for the n-th thing of a purpose.
func draw(seed int64, purpose string, n uint64) float64 {
	h := fnv.New64a()
	var head [16]byte
	binary.BigEndian.PutUint64(head[:8], uint64(seed))
	binary.BigEndian.PutUint64(head[8:], n)
	_, _ = h.Write(head[:])
	_, _ = h.Write([]byte(purpose))
	x := h.Sum64()
	// FNV spreads its last bytes poorly over the high bits: mix once more.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}
