package command

import (
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestExitCodesTellArgumentsFromResults(t *testing.T) {
	parse := func(args []string) (string, error) {
		switch args[0] {
		case "-help":
			return "", flag.ErrHelp
		case "-bad":
			return "", errors.New("no such flag")
		}
		return args[0], nil
	}
	run := func(o string) (int, error) {
		if o == "broken" {
			return 2, errors.New("could not be measured")
		}
		return len(o), nil
	}
	for _, c := range []struct {
		arg  string
		code int
		said string
	}{
		{"-help", 0, ""},
		{"-bad", Usage, "count: no such flag\n"},
		{"broken", 2, "count: could not be measured\n"},
		{"", 0, ""},
		{"x", 1, ""},
	} {
		var said strings.Builder
		if code := code("count", []string{c.arg}, &said, parse, run); code != c.code || said.String() != c.said {
			t.Errorf("%q: exit code %d, %q; expected %d, %q", c.arg, code, said.String(), c.code, c.said)
		}
	}
}
