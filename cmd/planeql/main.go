// Command planeql runs SQL over the REST APIs of clouds. All of it is in
// internal/cli.
package main

import (
	"os"

	"github.com/planeql/planeql/internal/cli"
)

func main() { os.Exit(cli.Main(cli.System())) }
