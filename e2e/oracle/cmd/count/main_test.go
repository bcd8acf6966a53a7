package main

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"wasmgear.test/oracle/broker"
	"wasmgear.test/oracle/fluxmsg"
	"wasmgear.test/oracle/payment"
	"wasmgear.test/oracle/snake"
)

const (
	in   = "flux.msg.edge-a.line-in.out"
	out  = "flux.msg.edge-a.gear.out"
	dead = "flux.dlq.test.gear"
)

// A gear as it should be, and its ids.
var (
	gear      = uuid.MustParse("01930000-0000-7000-8001-000000050000")
	arrival   = uuid.MustParse("01930000-0000-7000-8001-000000060000")
	departure = uuid.MustParse("01930000-0000-7000-8001-000000070000")
)

func passed(m fluxmsg.Message) fluxmsg.Message {
	now := time.Now().UnixNano()
	m.Path = append(append([]fluxmsg.Hop{}, m.Path...), fluxmsg.Hop{Gear: gear, Port: arrival, Time: now}, fluxmsg.Hop{Gear: gear, Port: departure, Time: now})
	return m
}

// bench is a server with the streams, and a way to put records on them.
type bench struct {
	t  *testing.T
	js jetstream.JetStream
}

func newBench(t *testing.T) (*bench, string) {
	t.Helper()
	url := broker.Start(t)
	conn, js, err := snake.Connect(context.Background(), url, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if _, err := snake.EnsureStream(context.Background(), js, snake.Stream); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(context.Background(), jetstream.StreamConfig{Name: snake.DeadLetters, Subjects: []string{"flux.dlq.>"}}); err != nil {
		t.Fatal(err)
	}
	return &bench{t, js}, url
}

func (b *bench) put(subject string, m fluxmsg.Message, header ...string) {
	b.t.Helper()
	body, err := m.Encode()
	if err != nil {
		b.t.Fatal(err)
	}
	b.raw(subject, body, header...)
}

func (b *bench) raw(subject string, body []byte, header ...string) {
	b.t.Helper()
	message := nats.NewMsg(subject)
	message.Data = body
	for i := 0; i+1 < len(header); i += 2 {
		message.Header.Set(header[i], header[i+1])
	}
	if _, err := b.js.PublishMsg(context.Background(), message); err != nil {
		b.t.Fatal(err)
	}
}

// traffic puts 20 payments on the input and what a faultless gear makes of them on the output, but for the serials that a
// case treats on its own.
func (b *bench) traffic(special map[uint64]func(fluxmsg.Message)) {
	maker := payment.NewMaker(1)
	for n := uint64(1); n <= 20; n++ {
		m := maker.Make(n, time.Now()).Message
		b.put(in, m)
		if do, ok := special[n]; ok {
			do(m)
			continue
		}
		b.put(out, passed(m), "Wasmgear-Digest", map[bool]string{true: "sha256:one", false: "sha256:two"}[n <= 12])
	}
}

func counted(t *testing.T, url string, more ...string) *Report {
	t.Helper()
	o, err := parse(append([]string{"-url", url, "-in", in, "-out", out, "-dead", dead, "-expect", "20", "-deadline", "1500ms", "-settle", "100ms"}, more...))
	if err != nil {
		t.Fatal(err)
	}
	report, err := run(context.Background(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestFaultlessTrafficPassesAndIsCountedByVersion(t *testing.T) {
	b, url := newBench(t)
	b.put(in, fluxmsg.Message{ID: uuid.New(), Flags: fluxmsg.ProbeFlag})
	b.traffic(nil)
	r := counted(t, url, "-ordered")
	if !r.Pass || !r.Complete || r.In != 20 || r.Out != 20 || r.Probes != 1 {
		t.Fatalf("%+v", r)
	}
	if one, two := r.Versions["sha256:one"], r.Versions["sha256:two"]; one.Count != 12 || one.Last != 12 || two.Count != 8 || two.First != 13 {
		t.Fatalf("%+v %+v", one, two)
	}
	if len(r.Stations) != 1 {
		t.Fatal(r.Stations)
	}
}

// Each of these faults has to turn a pass into a fail, and be named.
func TestEveryFaultIsSeenAndNamed(t *testing.T) {
	cases := map[string]struct {
		special func(*bench, fluxmsg.Message)
		args    []string
		why     string
		pass    bool
	}{
		"lost":                   {func(*bench, fluxmsg.Message) {}, nil, "came neither out nor died", false},
		"dropped on purpose":     {func(*bench, fluxmsg.Message) {}, []string{"-dropped", "1"}, "", true},
		"more was to be dropped": {func(*bench, fluxmsg.Message) {}, []string{"-dropped", "2"}, "came neither out nor died (2 expected)", false},
		"doubled, equal but for times": {func(b *bench, m fluxmsg.Message) {
			b.put(out, passed(m))
			b.put(out, passed(m))
		}, nil, "came out or died more than once", false},
		"doubled and different": {func(b *bench, m fluxmsg.Message) {
			b.put(out, passed(m))
			m.Trace = "other"
			b.put(out, passed(m))
		}, nil, "differ from the first", false},
		"a hop too few": {func(b *bench, m fluxmsg.Message) {
			p := passed(m)
			p.Path = p.Path[1:]
			b.put(out, p)
		}, nil, "wrong path", false},
		"ports the wrong way round": {func(b *bench, m fluxmsg.Message) {
			p := passed(m)
			p.Path[1].Port, p.Path[2].Port = p.Path[2].Port, p.Path[1].Port
			b.put(out, p)
		}, nil, "wrong path", false},
		"leaves before it arrives": {func(b *bench, m fluxmsg.Message) {
			p := passed(m)
			p.Path[2].Time = p.Path[1].Time - 1
			b.put(out, p)
		}, nil, "wrong path", false},
		"another pod, other ids": {func(b *bench, m fluxmsg.Message) {
			p := passed(m)
			p.Path[1].Gear[0], p.Path[2].Gear[0] = 9, 9
			b.put(out, p)
		}, nil, "2 different gear and port ids", false},
		"an output of nothing": {func(b *bench, m fluxmsg.Message) {
			b.put(out, passed(m))
			m.Data["n"] = uint64(777)
			b.put(out, passed(m))
		}, nil, "belong to no input", false},
		"rubbish": {func(b *bench, m fluxmsg.Message) {
			b.put(out, passed(m))
			b.raw(out, []byte("rubbish"))
		}, nil, "no fluxMsg", false},
		"the source doubles": {func(b *bench, m fluxmsg.Message) {
			b.put(in, m)
			b.put(out, passed(m))
		}, nil, "came in twice", false},
		"dead letter":               {func(b *bench, m fluxmsg.Message) { b.put(dead, m, "Wasmgear-Reason", "Trap") }, nil, "1 dead letters, expected 0", false},
		"dead letter that is right": {func(b *bench, m fluxmsg.Message) { b.put(dead, m, "Wasmgear-Reason", "Trap") }, []string{"-died", "1"}, "", true},
		"dead letter beside an output": {func(b *bench, m fluxmsg.Message) {
			b.put(out, passed(m))
			b.put(dead, m, "Wasmgear-Reason", "Trap")
		}, []string{"-died", "1"}, "came out or died more than once", false},
		"never came in": {func(b *bench, m fluxmsg.Message) { b.put(out, passed(m)) }, []string{"-expect", "21"}, "never came in", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, url := newBench(t)
			b.traffic(map[uint64]func(fluxmsg.Message){7: func(m fluxmsg.Message) { c.special(b, m) }})
			r := counted(t, url, c.args...)
			if _, differ := r.Faults["differing"]; differ != (name == "doubled and different") {
				t.Fatalf("differing: %v", differ)
			}
			if r.Pass != c.pass || !strings.Contains(strings.Join(r.Why, "\n"), c.why) {
				t.Fatalf("pass %v, why %q; expected %v, %q", r.Pass, r.Why, c.pass, c.why)
			}
		})
	}
}

func TestOrderMattersOnlyWhenItIsAskedFor(t *testing.T) {
	b, url := newBench(t)
	var late fluxmsg.Message
	b.traffic(map[uint64]func(fluxmsg.Message){
		7: func(m fluxmsg.Message) { late = m },
		8: func(m fluxmsg.Message) { b.put(out, passed(m)); b.put(out, passed(late)) },
	})
	if r := counted(t, url); !r.Pass || r.Disorder.Count != 1 {
		t.Fatalf("%+v", r)
	}
	if r := counted(t, url, "-ordered"); r.Pass {
		t.Fatal("out of order, and passed")
	}
}

func TestOnlyWhatComesAfterTheStartCountsWhenAsked(t *testing.T) {
	b, url := newBench(t)
	b.traffic(nil)
	o, err := parse([]string{"-url", url, "-in", in, "-out", out, "-expect", "20", "-from-now", "-deadline", "10s", "-settle", "50ms"})
	if err != nil {
		t.Fatal(err)
	}
	ready, told := io.Pipe()
	result := make(chan *Report, 1)
	go func() {
		report, err := run(context.Background(), o, told)
		if err != nil {
			t.Error(err)
		}
		result <- report
	}()
	line := make([]byte, 200)
	if n, err := ready.Read(line); err != nil || !bytes.Contains(line[:n], []byte("reading stream flux-msg from sequence 41")) {
		t.Fatalf("%q %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, ready) }()
	b.traffic(nil)
	if r := <-result; !r.Pass || r.In != 20 {
		t.Fatalf("%+v", r)
	}
}

func TestTheProgramsExitCodeIsItsVerdict(t *testing.T) {
	b, url := newBench(t)
	b.traffic(nil)
	program := t.TempDir() + "/count"
	if text, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatal(string(text))
	}
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"pass":        {[]string{"-url", url, "-expect", "20"}, 0},
		"fail":        {[]string{"-url", url, "-expect", "21", "-deadline", "1s"}, 1},
		"no server":   {[]string{"-url", "nats://127.0.0.1:1", "-expect", "1", "-deadline", "300ms"}, 2},
		"wrong flags": {[]string{"-url", url}, 64},
	} {
		command := exec.Command(program, append([]string{"-in", in, "-out", out, "-settle", "10ms"}, c.args...)...)
		text, _ := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%s: exit code %d, expected %d\n%s", name, code, c.code, text)
		}
	}
}
