// SPDX-License-Identifier: MIT

// Lays out a module proxy as files, for GOPROXY=file://, with a checksum database beside it: what goModProxy runs.
//
// Standard input has a line for each module, "zip|mod PATH VERSION SUM OBJECT NAME" (stdlib/go/modules.gx), PATH and VERSION escaped.
// The database is a log with a signed tree, as golang.org/design/25530-sumdb has it; the go command wants proofs, and gets them.  Its key is no
// secret: what stands in it was checked against go.sum before it came here, and it answers for this proxy alone.
package main

import (
	"archive/zip"
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func write(file string, text []byte) {
	must(os.MkdirAll(filepath.Dir(file), 0o755))
	must(os.WriteFile(file, text, 0o644))
}

// unescape makes "!x" an "X" again.
func unescape(s string) string {
	parts := strings.Split(s, "!")
	for i, p := range parts[1:] {
		parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
	}
	return strings.Join(parts, "")
}

// modSum is the sum of a go.mod in go.sum.
func modSum(text []byte) string {
	line := fmt.Sprintf("%x  go.mod\n", sha256.Sum256(text))
	sum := sha256.Sum256([]byte(line))
	return "h1:" + base64.StdEncoding.EncodeToString(sum[:])
}

// writeZip makes the zip of a module; its sum does not depend on order and compression.
func writeZip(file, object, prefix string) {
	out, err := os.Create(file)
	must(err)
	z := zip.NewWriter(out)
	must(filepath.WalkDir(object, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(object, path)
		if err != nil {
			return err
		}
		w, err := z.Create(prefix + filepath.ToSlash(name))
		if err != nil {
			return err
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		_, err = io.Copy(w, in)
		return err
	}))
	must(z.Close())
	must(out.Close())
}

// a record of the database: what go.sum would say of a module.
type record struct{ name, text string }

func addModule(top, line string) record {
	f := strings.Fields(line)
	kind, path, version, sum, object, name := f[0], f[1], f[2], f[3], f[4], f[5]
	real := unescape(version)
	base := filepath.Join(top, path, "@v", version)
	mod := []byte("module " + name + "\n")
	file := object
	if kind == "zip" {
		file = filepath.Join(object, "go.mod")
	}
	if text, err := os.ReadFile(file); err == nil {
		mod = text
	}
	write(base+".mod", mod)
	write(base+".info", []byte(fmt.Sprintf("{\"Version\":%q}\n", real)))
	text := fmt.Sprintf("%s %s/go.mod %s\n", name, real, modSum(mod))
	if kind == "zip" {
		writeZip(base+".zip", object, name+"@"+real+"/")
		text = fmt.Sprintf("%s %s %s\n", name, real, sum) + text
	}
	return record{path + "@" + version, text}
}

// --- the log ---

type hash [32]byte

func leaf(text string) hash { return sha256.Sum256(append([]byte{0}, text...)) }

func node(a, b hash) hash { return sha256.Sum256(append(append([]byte{1}, a[:]...), b[:]...)) }

// root is the hash of a tree: of the largest full one that fits, and of the rest.
func root(h []hash) hash {
	if len(h) == 0 {
		return sha256.Sum256(nil)
	}
	if len(h) == 1 {
		return h[0]
	}
	k := 1
	for k*2 < len(h) {
		k *= 2
	}
	return node(root(h[:k]), root(h[k:]))
}

// tiles are hashes in pieces of 256; those of the next level are of full pieces.
func writeTiles(top string, level int, h []hash) {
	var next []hash
	for n := 0; n*256 < len(h); n++ {
		piece := h[n*256 : min(len(h), n*256+256)]
		name := fmt.Sprintf("%03d", n%1000)
		for i := n / 1000; i > 0; i /= 1000 {
			name = fmt.Sprintf("x%03d/%s", i%1000, name)
		}
		name = fmt.Sprintf("%s/tile/8/%d/%s", top, level, name)
		if len(piece) == 256 {
			next = append(next, root(piece))
		} else {
			name = fmt.Sprintf("%s.p/%d", name, len(piece))
		}
		var text []byte
		for _, x := range piece {
			text = append(text, x[:]...)
		}
		write(name, text)
	}
	if len(next) > 0 {
		writeTiles(top, level+1, next)
	}
}

// sign makes a note of a text, and the key that checks it.
func sign(name, text string) (note, key string) {
	seed := sha256.Sum256([]byte(name))
	private := ed25519.NewKeyFromSeed(seed[:])
	public := append([]byte{1}, private.Public().(ed25519.PublicKey)...)
	id := sha256.Sum256(append([]byte(name+"\n"), public...))
	signature := append(id[:4:4], ed25519.Sign(private, []byte(text))...)
	note = text + "\n— " + name + " " + base64.StdEncoding.EncodeToString(signature) + "\n"
	key = fmt.Sprintf("%s+%08x+%s", name, binary.BigEndian.Uint32(id[:4]), base64.StdEncoding.EncodeToString(public))
	return note, key
}

func writeDatabase(top, name string, records []record) string {
	var hashes []hash
	for _, r := range records {
		hashes = append(hashes, leaf(r.text))
	}
	h := root(hashes)
	tree := fmt.Sprintf("go.sum database tree\n%d\n%s\n", len(records), base64.StdEncoding.EncodeToString(h[:]))
	note, key := sign(name, tree)
	write(top+"/supported", nil)
	write(top+"/latest", []byte(note))
	writeTiles(top, 0, hashes)
	for i, r := range records {
		write(top+"/lookup/"+r.name, []byte(fmt.Sprintf("%d\n%s\n%s", i, r.text, note)))
	}
	return key
}

// usage: proxy OUT NAME-OF-DATABASE <LINES
func main() {
	out, database := os.Args[1], os.Args[2]
	must(os.MkdirAll(out, 0o755))
	versions := map[string][]string{}
	var records []record
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		records = append(records, addModule(out, lines.Text()))
		// Those of a commit are no versions that one chooses from.
		if v := unescape(f[2]); strings.Count(v, "-") < 2 {
			versions[f[1]] = append(versions[f[1]], v)
		}
	}
	must(lines.Err())
	for path, list := range versions {
		sort.Strings(list)
		write(filepath.Join(out, path, "@v", "list"), []byte(strings.Join(list, "\n")+"\n"))
	}
	key := writeDatabase(out+"/sumdb/"+database, database, records)
	write(out+"/env", []byte("export GOPROXY=file://"+out+" GOSUMDB="+key+" GONOSUMDB= GOPRIVATE= GONOPROXY= GOFLAGS=-modcacherw\n"))
}
