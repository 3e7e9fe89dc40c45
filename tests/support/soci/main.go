// soci for the tests: `soci convert --standalone` on soci-snapshotter's own conversion library, whose
// command is not to be had from the module proxy. For the same image it gives the digest that the
// real soci gives; like soci 0.14 and later it refuses a layout that lists more than its root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
)

const library = "v0.16.1" // as in go.mod

const usage = `usage: soci --version
       soci convert --standalone [options] INPUT OUTPUT

  --format oci-dir              the only one here
  --all-platforms               else the host's platform
  --platform, -p PLATFORM       repeatable
  --span-size BYTES             default 4194304
  --min-layer-size BYTES        default 10485760
  --prefetch-file PATH          repeatable
  --optimizations NAME          repeatable; xattr
  --force, -f                   make zTOCs again that are there
`

type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// What to convert, and how.
type request struct {
	input, output       string
	allPlatforms, force bool
	platforms           list
	spanSize            int64
	minLayerSize        int64
	prefetchFiles       list
	optimizations       list
}

func parse(arguments []string) (request, error) {
	var asked request
	flags := flag.NewFlagSet("soci convert", flag.ContinueOnError)
	flags.SetOutput(os.Stderr)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	standalone := flags.Bool("standalone", false, "")
	format := flags.String("format", "oci-archive", "")
	flags.BoolVar(&asked.allPlatforms, "all-platforms", false, "")
	flags.Var(&asked.platforms, "platform", "")
	flags.Var(&asked.platforms, "p", "")
	flags.Int64Var(&asked.spanSize, "span-size", 1<<22, "")
	flags.Int64Var(&asked.minLayerSize, "min-layer-size", 10<<20, "")
	flags.Var(&asked.prefetchFiles, "prefetch-file", "")
	flags.Var(&asked.optimizations, "optimizations", "")
	flags.BoolVar(&asked.force, "force", false, "")
	flags.BoolVar(&asked.force, "f", false, "")
	if err := flags.Parse(arguments); err != nil {
		return asked, err
	}
	switch {
	case !*standalone:
		return asked, errors.New("only --standalone is to be had here")
	case *format != "oci-dir":
		return asked, fmt.Errorf("unsupported output format: %s", strconv.Quote(*format))
	case flags.NArg() != 2:
		return asked, errors.New("source and destination images are needed")
	}
	asked.input, asked.output = flags.Arg(0), flags.Arg(1)
	return asked, nil
}

func run(arguments []string) error {
	if len(arguments) > 0 && (arguments[0] == "--version" || arguments[0] == "-v") {
		fmt.Println("soci version", library, "tests")
		return nil
	}
	if len(arguments) == 0 || arguments[0] != "convert" {
		fmt.Fprint(os.Stderr, usage)
		return errors.New("only convert is to be had here")
	}
	asked, err := parse(arguments[1:])
	if err != nil {
		return err
	}
	return convert(context.Background(), asked)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "soci:", err)
		os.Exit(1)
	}
}
