// Package command is what the programs under cmd have in common: a signal ends them, and so do arguments that can't be
// followed.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Usage is the exit code for arguments that can't be followed.
const Usage = 64

// Main is the main function of the program called name. What run returns is the exit code; an error is told before.
func Main[Options any](name string, parse func([]string) (Options, error), run func(context.Context, Options) (int, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(code(name, os.Args[1:], os.Stderr, parse, func(o Options) (int, error) { return run(ctx, o) }))
}

func code[Options any](name string, args []string, stderr io.Writer, parse func([]string) (Options, error), run func(Options) (int, error)) int {
	options, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	code := Usage
	if err == nil {
		code, err = run(options)
	}
	if err != nil {
		fmt.Fprintln(stderr, name+":", err)
	}
	return code
}
