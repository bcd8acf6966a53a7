package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// build runs the program over one image with two files and returns the layout's folder and the printed line.
func build(t *testing.T, change func(*spec)) (string, string, error) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("#!static"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := spec{Layout: filepath.Join(dir, "images"), Created: 1, Images: []image{{
		Name: "wasmgear.test/thing", Version: "0.1.0", User: "65532:65532", Entrypoint: []string{"/thing"},
		Labels: map[string]string{"org.opencontainers.image.title": "thing"},
		Files:  map[string]string{"/thing": program, "/etc/deep/file": program},
	}}}
	if change != nil {
		change(&s)
	}
	input, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = run(bytes.NewReader(input), &out)
	return s.Layout, strings.TrimSpace(out.String()), err
}

func TestTheSameInputGivesTheSameDigest(t *testing.T) {
	_, first, err := build(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := build(t, nil)
	if err != nil || first != second {
		t.Fatalf("%q and %q (%v)", first, second, err)
	}
	_, other, err := build(t, func(s *spec) { s.Images[0].User = "0" })
	if err != nil || first == other {
		t.Fatalf("another user, the same digest: %q (%v)", other, err)
	}
}

func TestTheLayoutIsAValidImageForAnybody(t *testing.T) {
	dir, line, err := build(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatal(manifest, err)
	}
	entry := manifest.Manifests[0]
	if !strings.HasSuffix(line, entry.Digest.String()) {
		t.Errorf("printed %q, stored %s", line, entry.Digest)
	}
	if name := entry.Annotations["io.containerd.image.name"]; name != "wasmgear.test/thing:0.1.0" {
		t.Errorf("containerd would call it %q", name)
	}
	img, err := index.Image(entry.Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil || config.Config.User != "65532:65532" || config.OS != "linux" {
		t.Fatal(config, err)
	}
}

func TestFilesAreRootsReadableAndDated(t *testing.T) {
	dir, _, err := build(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	index, _ := layout.ImageIndexFromPath(dir)
	manifest, _ := index.IndexManifest()
	img, _ := index.Image(manifest.Manifests[0].Digest)
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatal(layers, err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for archive := tar.NewReader(content); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
		if header.Uid != 0 || header.Mode != 0o755 || header.ModTime.Unix() != 1 {
			t.Errorf("%s: uid %d, mode %o, time %s", header.Name, header.Uid, header.Mode, header.ModTime)
		}
	}
	if got := strings.Join(names, " "); got != "etc/ etc/deep/ etc/deep/file thing" {
		t.Errorf("the layer holds %q", got)
	}
}

func TestATagByContentChangesWithTheContentAlone(t *testing.T) {
	tag := func(change func(*spec)) string {
		_, line, err := build(t, change)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(line)[1]
	}
	byContent := tag(func(s *spec) { s.Images[0].ContentTag = true })
	labelled := tag(func(s *spec) { s.Images[0].ContentTag = true; s.Images[0].Labels = nil })
	other := tag(func(s *spec) { s.Images[0].ContentTag = true; delete(s.Images[0].Files, "/etc/deep/file") })
	if !strings.HasPrefix(byContent, "0.1.0-") || byContent != labelled || byContent == other {
		t.Fatal(byContent, labelled, other)
	}
}

func TestABadSpecIsRefusedAndLeavesTheOldLayout(t *testing.T) {
	cases := map[string]struct {
		change func(*spec)
		says   string
	}{
		"file missing":  {func(s *spec) { s.Images[0].Files["/thing"] = "/not/there" }, "/not/there"},
		"relative path": {func(s *spec) { s.Images[0].Files["thing"] = "/dev/null" }, `path "thing"`},
		"tag in name":   {func(s *spec) { s.Images[0].Name = "a/b:c" }, "without a tag"},
		"no images":     {func(s *spec) { s.Images = nil }, "at least one image"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var kept string
			_, _, err := build(t, func(s *spec) {
				c.change(s)
				kept = filepath.Join(s.Layout, "old")
				if err := os.MkdirAll(kept, 0o750); err != nil {
					t.Fatal(err)
				}
			})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("wanted %q, got %v", c.says, err)
			}
			if _, err := os.Stat(kept); err != nil {
				t.Fatal("the old layout is gone")
			}
		})
	}
}
