package duck

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// readDate gives midnight UTC of a date, or the text of an infinite one.
func readDate(v *vector, row int) any {
	days := at[int32](v, row)
	switch days {
	case math.MaxInt32:
		return "infinity"
	case -math.MaxInt32:
		return "-infinity"
	}
	return time.Unix(int64(days)*86400, 0).UTC()
}

// instant reads a count of some unit since 1970, or the text of an infinite
// time: a time.Time would show the year 294247.
func instant(since func(int64) time.Time) readValue {
	return func(v *vector, row int) any {
		n := at[int64](v, row)
		switch n {
		case math.MaxInt64:
			return "infinity"
		case -math.MaxInt64:
			return "-infinity"
		}
		return since(n).UTC()
	}
}

// clock gives nanoseconds since midnight as DuckDB prints a TIME, with at most
// the given number of digits behind the seconds. Hours may pass 24: DuckDB's
// intervals have no days of their own there.
func clock(nanos int64, digits int) string {
	seconds := nanos / int64(time.Second)
	text := fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	fraction := fmt.Sprintf("%09d", nanos%int64(time.Second))[:digits]
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		text += "." + fraction
	}
	return text
}

// mostOffset is the largest offset of a TIME WITH TIME ZONE, in seconds. DuckDB
// stores the offset as its distance from it in the lower 24 bits.
const mostOffset = 16*60*60 - 1

// zonedClock gives a TIME WITH TIME ZONE as DuckDB prints it.
func zonedClock(bits uint64) string {
	offset := mostOffset - int64(bits&0xFFFFFF)
	text := clock(int64(bits>>24)*1000, 6)
	sign := "+"
	if offset < 0 {
		sign, offset = "-", -offset
	}
	text += fmt.Sprintf("%s%02d", sign, offset/3600)
	if offset%3600 != 0 {
		text += fmt.Sprintf(":%02d", offset/60%60)
	}
	if offset%60 != 0 {
		text += fmt.Sprintf(":%02d", offset%60)
	}
	return text
}

// interval gives an INTERVAL as DuckDB prints it: months and days, which have
// no fixed length, apart from the rest.
func interval(calendar [2]int32, micros int64) string {
	var parts []string
	for _, p := range []struct {
		n    int32
		unit string
	}{{calendar[0] / 12, "year"}, {calendar[0] % 12, "month"}, {calendar[1], "day"}} {
		switch {
		case p.n == 1 || p.n == -1:
			parts = append(parts, strconv.Itoa(int(p.n))+" "+p.unit)
		case p.n != 0:
			parts = append(parts, strconv.Itoa(int(p.n))+" "+p.unit+"s")
		}
	}
	switch {
	case micros < 0:
		parts = append(parts, "-"+longClock(-micros))
	case micros > 0 || len(parts) == 0:
		parts = append(parts, longClock(micros))
	}
	return strings.Join(parts, " ")
}

// longClock is clock for microseconds whose nanoseconds may pass 64 bits.
func longClock(micros int64) string {
	const hour = int64(time.Hour / time.Microsecond)
	return fmt.Sprintf("%02d", micros/hour) + clock(micros%hour*1000, 6)[2:]
}

// bits gives a BIT as zeros and ones. Its first byte says how many bits of the
// second are padding.
func bits(stored string) string {
	var b strings.Builder
	if stored == "" {
		return ""
	}
	for i := int(stored[0]); i < (len(stored)-1)*8; i++ {
		b.WriteByte('0' + stored[1+i/8]>>(7-i%8)&1)
	}
	return b.String()
}
