// Command oci-image writes container images that hold nothing but static programs into an OCI image layout.
//
//	oci-image < spec.json
//
// The same input gives the same bytes: files in the order of their paths, every time stamp the one of the spec, nothing of
// the machine. The layout is written beside its place and renamed, so a broken run leaves the old one. For each image a
// line "name tag digest" goes to stdout.
//
// It does not compile, push or pull. A layout is pushed by the tool that a person has (skopeo, crane, oras).
package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// spec is the whole input.
type spec struct {
	// Layout is the folder to write; what was there is replaced.
	Layout string `json:"layout"`
	// Created is the time of every file and image, in Unix seconds.
	Created int64 `json:"created"`
	// Images go into the layout in this order.
	Images []image `json:"images"`
}

type image struct {
	// Name is registry and repository without a tag: "registry.example.com/team/thing".
	Name string `json:"name"`
	// Version is the tag; with ContentTag the first 12 hex digits of the layer's digest are appended, so that another
	// program never hides behind a known tag.
	Version    string            `json:"version"`
	ContentTag bool              `json:"contentTag"`
	User       string            `json:"user"`
	Entrypoint []string          `json:"entrypoint"`
	Labels     map[string]string `json:"labels"`
	// Files maps a path in the image to a file of this machine.
	Files map[string]string `json:"files"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oci-image:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var s spec
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return fmt.Errorf("the spec on stdin: %w", err)
	}
	if s.Layout == "" || len(s.Images) == 0 {
		return errors.New("the spec on stdin needs a layout and at least one image")
	}
	fresh := filepath.Clean(s.Layout) + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	target, err := layout.Write(fresh, empty.Index)
	if err != nil {
		return err
	}
	for _, i := range s.Images {
		line, err := add(target, i, time.Unix(s.Created, 0).UTC())
		if err != nil {
			return fmt.Errorf("image %s: %w", i.Name, err)
		}
		fmt.Fprintln(out, line)
	}
	if err := os.RemoveAll(s.Layout); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Clean(s.Layout))
}

// add builds one image, appends it to the layout and returns its line.
func add(target layout.Path, i image, created time.Time) (string, error) {
	if strings.ContainsAny(path.Base(i.Name), ":@") || i.Name == "" || i.Version == "" {
		return "", fmt.Errorf("name %q and version %q: a name without a tag and a version are expected", i.Name, i.Version)
	}
	files, err := pack(i.Files, created)
	if err != nil {
		return "", err
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return "", err
	}
	tag := i.Version
	if i.ContentTag {
		content, err := layer.DiffID()
		if err != nil {
			return "", err
		}
		tag += "-" + content.Hex[:12]
	}
	built, err := assemble(i, layer, created)
	if err != nil {
		return "", err
	}
	digest, err := built.Digest()
	if err != nil {
		return "", err
	}
	err = target.AppendImage(built, layout.WithAnnotations(map[string]string{
		"io.containerd.image.name":          i.Name + ":" + tag,
		"org.opencontainers.image.ref.name": path.Base(i.Name) + ":" + tag,
	}), layout.WithPlatform(v1.Platform{OS: "linux", Architecture: "amd64"}))
	return fmt.Sprintf("%s %s %s", i.Name, tag, digest), err
}

func assemble(i image, layer v1.Layer, created time.Time) (v1.Image, error) {
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	withLayer, err := mutate.Append(base, mutate.Addendum{
		Layer:   layer,
		History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "oci-image"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(withLayer, config(withLayer, i, created))
}

func config(of v1.Image, i image, created time.Time) *v1.ConfigFile {
	file, err := of.ConfigFile()
	if err != nil {
		file = &v1.ConfigFile{}
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = "linux", "amd64", v1.Time{Time: created}
	file.Config = v1.Config{User: i.User, Entrypoint: i.Entrypoint, Labels: i.Labels, WorkingDir: "/"}
	return file
}

// pack makes the one layer: the files and the folders above them, all owned by root and readable by everybody.
func pack(files map[string]string, created time.Time) ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	made := map[string]bool{".": true}
	inside := make([]string, 0, len(files))
	for name := range files {
		inside = append(inside, name)
	}
	slices.Sort(inside)
	for _, name := range inside {
		if !path.IsAbs(name) || path.Clean(name) != name {
			return nil, fmt.Errorf("path %q: an absolute, clean path in the image is expected", name)
		}
		for _, folder := range above(name[1:]) {
			if made[folder] {
				continue
			}
			made[folder] = true
			header := tar.Header{Typeflag: tar.TypeDir, Name: folder + "/", Mode: 0o755, ModTime: created, Format: tar.FormatUSTAR}
			if err := archive.WriteHeader(&header); err != nil {
				return nil, err
			}
		}
		body, err := os.ReadFile(files[name])
		if err != nil {
			return nil, err
		}
		header := tar.Header{Name: name[1:], Mode: 0o755, Size: int64(len(body)), ModTime: created, Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(body); err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return buffer.Bytes(), err
}

// above lists the folders of a path from the top down.
func above(name string) []string {
	var folders []string
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		folders = append([]string{folder}, folders...)
	}
	return folders
}
