// Command scan looks for card numbers in clear, in anything: files, stdin, streams.
//
//	scan -pans pans.txt sidecar.log status.yaml -url nats://… -stream flux-msg -subject flux.msg.edge-a.masker.out
//	kubectl get events -A -o yaml | scan -pans pans.txt -
//
// The list is what generate wrote with -pans; its numbers are found however they are written (see package pan). Numbers
// that are on no list are found where they stand alone and pass for a card. Card numbers are never printed in clear.
//
// Exit code 0: clean; 1: card numbers in clear; 2: something could not be read. With -expect-all it is the other way
// round: 0 when every number of the list was found. That is how one shows that the scan would see what is there.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"wasmgear.test/oracle/command"
	"wasmgear.test/oracle/pan"
	"wasmgear.test/oracle/snake"
)

// How many findings are shown one by one.
const shown = 20

// Report is the result.
type Report struct {
	Clean bool `json:"clean"`
	// Sources are what was read; Bytes and Records how much of it.
	Sources []string `json:"sources"`
	Bytes   uint64   `json:"bytes"`
	Records uint64   `json:"records"`
	// Listed is the length of the list, Found how many of its numbers were found, Strangers how many findings are on no list.
	Listed    int               `json:"listed"`
	Found     int               `json:"found"`
	Strangers uint64            `json:"strangers"`
	Findings  uint64            `json:"findings"`
	How       map[string]uint64 `json:"how"`
	Examples  []string          `json:"examples,omitempty"`
}

type options struct {
	pans, url, stream string
	subjects          []string
	files             []string
	onlyKnown, all    bool
	deadline          time.Duration
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("scan", flag.ContinueOnError)
	flags.StringVar(&o.pans, "pans", "", "file with card numbers, one per line")
	flags.StringVar(&o.url, "url", "", "NATS server, with -subject")
	flags.StringVar(&o.stream, "stream", "flux-msg", "stream, with -subject")
	flags.Func("subject", "subject of the stream to scan, headers and bodies; may be repeated", func(s string) error {
		o.subjects = append(o.subjects, s)
		return nil
	})
	flags.BoolVar(&o.onlyKnown, "only-known", false, "look only for numbers of the list")
	flags.BoolVar(&o.all, "expect-all", false, "every number of the list has to be there")
	flags.DurationVar(&o.deadline, "deadline", 2*time.Minute, "when to give up")
	// Flags may stand behind files too.
	for rest := args; len(rest) > 0; {
		if err := flags.Parse(rest); err != nil {
			return o, err
		}
		if rest = flags.Args(); len(rest) > 0 {
			o.files, rest = append(o.files, rest[0]), rest[1:]
		}
	}
	switch {
	case len(o.files) == 0 && len(o.subjects) == 0:
		return o, errors.New("nothing to scan: name files, - for stdin, or -subject")
	case (len(o.subjects) > 0) != (o.url != ""):
		return o, errors.New("-subject and -url belong together")
	case (o.onlyKnown || o.all) && o.pans == "":
		return o, errors.New("-only-known and -expect-all need -pans")
	}
	return o, nil
}

func main() {
	command.Main("scan", parse, tell)
}

func tell(ctx context.Context, o options) (int, error) {
	report, err := run(ctx, o, os.Stdin)
	if err != nil {
		return 2, err
	}
	_ = json.NewEncoder(os.Stdout).Encode(report)
	fmt.Fprintf(os.Stderr, "scan: %d bytes of %d sources: %d of %d listed card numbers in clear, %d others\n",
		report.Bytes, len(report.Sources), report.Found, report.Listed, report.Strangers)
	if !o.all {
		for _, example := range report.Examples {
			fmt.Fprintln(os.Stderr, "  ", example)
		}
	}
	if o.all && report.Found == report.Listed || !o.all && report.Clean {
		return 0, nil
	}
	return 1, nil
}

func run(ctx context.Context, o options, stdin io.Reader) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, o.deadline)
	defer cancel()
	var list []string
	if o.pans != "" {
		text, err := os.ReadFile(o.pans)
		if err != nil {
			return nil, err
		}
		if list = strings.Fields(string(text)); len(list) == 0 {
			return nil, fmt.Errorf("%s is empty: a scan for nothing finds nothing", o.pans)
		}
	}
	scanner := pan.NewScanner(list)
	scanner.OnlyKnown = o.onlyKnown
	report := &Report{Listed: scanner.Listed(), How: map[string]uint64{}}
	found := map[string]bool{}
	look := func(where string, body []byte) {
		report.Bytes += uint64(len(body))
		scanner.Scan(body, func(f pan.Finding) {
			report.Findings++
			report.How[f.How]++
			if f.Known {
				found[f.Number] = true
			} else {
				report.Strangers++
			}
			if len(report.Examples) < shown {
				report.Examples = append(report.Examples, fmt.Sprintf("%s, byte %d: %s (%s)", where, f.Offset, pan.Masked([]byte(f.Number)), f.How))
			}
		})
	}
	for _, file := range o.files {
		body, err := read(file, stdin)
		if err != nil {
			return nil, err
		}
		report.Sources = append(report.Sources, file)
		look(file, body)
	}
	if len(o.subjects) > 0 {
		if err := streams(ctx, o, report, look); err != nil {
			return nil, err
		}
	}
	report.Found = len(found)
	report.Clean = report.Findings == 0
	return report, nil
}

func read(file string, stdin io.Reader) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(file)
}

// streams scans what is stored on the subjects: subject, headers and body of each message.
func streams(ctx context.Context, o options, report *Report, look func(string, []byte)) error {
	conn, js, err := snake.Connect(ctx, o.url, "scan")
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, subject := range o.subjects {
		report.Sources = append(report.Sources, o.stream+" "+subject)
		if err := snake.Stored(ctx, js, o.stream, subject, func(r snake.Record) {
			report.Records++
			where := fmt.Sprintf("%s, sequence %d", r.Subject, r.Sequence)
			look(where, r.Body)
			for key, values := range r.Header {
				look(where+", header "+key, []byte(r.Subject+"\n"+key+": "+strings.Join(values, "\n")))
			}
		}); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s of stream %s was not read to its end within %v", subject, o.stream, o.deadline)
		}
	}
	return nil
}
