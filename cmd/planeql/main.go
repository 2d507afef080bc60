// Command planeql runs SQL over the REST APIs of clouds. All of it is in
// internal/cli.
package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"github.com/planeql/planeql/internal/cli"
)

func main() {
	if os.Getenv("GOGC") == "" {
		collectLate()
	}
	os.Exit(cli.Main(cli.System()))
}

// collectLate lets the first collection of garbage wait until 32 MB are in use,
// and not 4: most commands end before. From then on it is as usual.
func collectLate() {
	const usual = 100
	debug.SetGCPercent(8 * usual)
	first := new(struct{ self *byte }) // garbage from the start
	runtime.AddCleanup(first, func(percent int) { debug.SetGCPercent(percent) }, usual)
}
