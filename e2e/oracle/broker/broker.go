// Package broker starts a real nats-server for a test: own port, own store, gone at the test's end.
package broker

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// Start starts a server and returns its URL. Without the program the test fails with the line that installs it.
func Start(t *testing.T) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	program := filepath.Join(filepath.Dir(here), "../../../target/tools/nats-server")
	if other := os.Getenv("NATS_SERVER"); other != "" {
		program = other
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("nats-server is not at %s; install it with: make tools", program)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "nats.conf")
	text := fmt.Sprintf("listen: \"127.0.0.1:-1\"\nports_file_dir: %q\nlogfile: %q\njetstream { store_dir: %q }\n",
		dir, filepath.Join(dir, "log"), filepath.Join(dir, "store"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "-c", config)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	ports := filepath.Join(dir, fmt.Sprintf("nats-server_%d.ports", server.Process.Pid))
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var listening struct{ Nats []string }
		body, err := os.ReadFile(ports)
		if err == nil && json.Unmarshal(body, &listening) == nil && len(listening.Nats) > 0 {
			return listening.Nats[0]
		}
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	t.Fatalf("nats-server did not listen within 20 s; its log:\n%s", log)
	return ""
}
