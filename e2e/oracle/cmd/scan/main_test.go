package main

import (
	"context"
	"encoding/base64"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"wasmgear.test/oracle/broker"
	"wasmgear.test/oracle/payment"
	"wasmgear.test/oracle/snake"
)

// traffic is a stream with payments in clear, their list as a file, and a connection.
func traffic(t *testing.T, count uint64) (url, pans string, publish func(subject string, body []byte, header string)) {
	t.Helper()
	url = broker.Start(t)
	ctx := context.Background()
	conn, js, err := snake.Connect(ctx, url, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if _, err := snake.EnsureStream(ctx, js, snake.Stream); err != nil {
		t.Fatal(err)
	}
	publish = func(subject string, body []byte, header string) {
		message := nats.NewMsg(subject)
		message.Data = body
		message.Header.Set("Detail", header)
		if _, err := js.PublishMsg(ctx, message); err != nil {
			t.Fatal(err)
		}
	}
	var list strings.Builder
	maker := payment.NewMaker(5)
	for n := uint64(1); n <= count; n++ {
		made := maker.Make(n, time.Now())
		body, err := made.Message.Encode()
		if err != nil {
			t.Fatal(err)
		}
		publish("flux.msg.a.b.out", body, "none")
		list.WriteString(made.PAN + "\n")
	}
	pans = filepath.Join(t.TempDir(), "pans")
	if err := os.WriteFile(pans, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return url, pans, publish
}

func scanned(t *testing.T, stdin string, args ...string) *Report {
	t.Helper()
	o, err := parse(args)
	if err != nil {
		t.Fatal(err)
	}
	report, err := run(context.Background(), o, strings.NewReader(stdin))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestTheUnmaskedStreamShowsEveryNumberOfTheList(t *testing.T) {
	url, pans, publish := traffic(t, 500)
	publish("flux.msg.other.b.out", []byte("4111111111111111"), "")
	r := scanned(t, "", "-url", url, "-subject", "flux.msg.a.b.out", "-pans", pans)
	if r.Records != 500 || r.Found != r.Listed || r.Listed < 490 || r.Clean {
		t.Fatalf("%+v", r)
	}
	// Without the list, all but the integers and those in the middle of words are found all the same.
	if blind := scanned(t, "", "-url", url, "-subject", "flux.msg.a.b.out"); blind.Strangers < 300 {
		t.Fatalf("%+v", blind)
	}
}

func TestOneNumberInAHeaderOfOneMessageIsFound(t *testing.T) {
	url, pans, publish := traffic(t, 10)
	list, _ := os.ReadFile(pans)
	number := strings.Fields(string(list))[3]
	publish("flux.msg.a.masked.out", []byte("clean"), "clean")
	if r := scanned(t, "", "-url", url, "-subject", "flux.msg.a.masked.>", "-pans", pans); !r.Clean || r.Records != 1 {
		t.Fatalf("%+v", r)
	}
	publish("flux.msg.a.masked.out", []byte("clean"), "guest said "+number)
	r := scanned(t, "", "-url", url, "-subject", "flux.msg.a.masked.>", "-pans", pans)
	if r.Clean || r.Found != 1 || !strings.Contains(r.Examples[0], "header Detail") {
		t.Fatalf("%+v", r)
	}
	if strings.Contains(strings.Join(r.Examples, " "), number) {
		t.Fatal("the report itself shows the number")
	}
}

func TestAnEmptySubjectIsCleanAndSaysThatNothingWasRead(t *testing.T) {
	url, pans, _ := traffic(t, 1)
	if r := scanned(t, "", "-url", url, "-subject", "flux.msg.nobody.>", "-pans", pans); !r.Clean || r.Records != 0 {
		t.Fatalf("%+v", r)
	}
}

func TestFilesAndStdinAreScanned(t *testing.T) {
	dir := t.TempDir()
	pans, log := filepath.Join(dir, "pans"), filepath.Join(dir, "log")
	_ = os.WriteFile(pans, []byte("4111111111111111\n5500005555555559\n"), 0o600)
	_ = os.WriteFile(log, []byte(`{"msg":"input was `+base64.StdEncoding.EncodeToString([]byte(`{"pan":"5500005555555559"}`))+`"}`), 0o600)
	r := scanned(t, "status: 4111-1111-1111-1111", "-pans", pans, log, "-")
	if r.Found != 2 || len(r.Sources) != 2 {
		t.Fatalf("%+v", r)
	}
	if r := scanned(t, "status: 411111******1111", "-pans", pans, "-"); !r.Clean {
		t.Fatalf("%+v", r)
	}
}

func TestTheProgramsExitCodeIsItsVerdict(t *testing.T) {
	dir := t.TempDir()
	program, pans, empty := filepath.Join(dir, "scan"), filepath.Join(dir, "pans"), filepath.Join(dir, "empty")
	_ = os.WriteFile(pans, []byte("4111111111111111\n5500005555555559\n"), 0o600)
	_ = os.WriteFile(empty, nil, 0o600)
	if text, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatal(string(text))
	}
	for name, c := range map[string]struct {
		stdin string
		args  []string
		code  int
	}{
		"clean":          {"nothing", []string{"-pans", pans, "-"}, 0},
		"found":          {"x 4111111111111111", []string{"-pans", pans, "-"}, 1},
		"all are there":  {"4111111111111111 5500005555555559", []string{"-pans", pans, "-expect-all", "-"}, 0},
		"one is missing": {"4111111111111111", []string{"-pans", pans, "-expect-all", "-"}, 1},
		"no such file":   {"", []string{"-pans", pans, filepath.Join(dir, "none")}, 2},
		"empty list":     {"", []string{"-pans", empty, "-"}, 2},
		"nothing named":  {"", []string{"-pans", pans}, 64},
		"url alone":      {"", []string{"-url", "x", "-"}, 64},
	} {
		command := exec.Command(program, c.args...)
		command.Stdin = io.NopCloser(strings.NewReader(c.stdin))
		text, _ := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%s: exit code %d, expected %d\n%s", name, code, c.code, text)
		}
	}
}
