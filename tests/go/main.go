// Checks a log by Go's own sumdb packages (note, tlog), which share no code with ours:
//
//	main <vkey> <directory> <old checkpoint> <new checkpoint> <proofs>
//
// The directory is a static tile log (C2SP tlog-tiles). Every tile below the new checkpoint is read and authenticated,
// every entry's inclusion and every older size's consistency is proved from the tiles by Go and checked by Go; then
// the proofs that the ledger made are checked. Each proof must fail once a bit is flipped. One JSON object is written.
//
// The proofs are lines: "inclusion <index> <hash>..." under the new checkpoint, "consistency <old size> <hash>..." to it.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The tiles of C2SP are Go's tiles of height 8, under other paths.
const height = 8

type directory struct {
	path string
	read int
}

func (d *directory) Height() int { return height }

func (d *directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		d.read++
		data, err := os.ReadFile(filepath.Join(d.path, tilePath(strconv.Itoa(tile.L), tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (d *directory) SaveTiles([]tlog.Tile, [][]byte) {}

func tilePath(level string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	path = "tile/" + level + "/" + path
	if width != 1<<height {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// open verifies a checkpoint and takes it apart.
func open(file string, verifier note.Verifier) tlog.Tree {
	message := must(os.ReadFile(file))
	opened := must(note.Open(message, note.VerifierList(verifier)))
	for at := range opened.Text {
		bent := []byte(string(message))
		bent[at] ^= 1
		if _, err := note.Open(bent, note.VerifierList(verifier)); err == nil {
			log.Fatalf("%s: byte %d was flipped and the note still opens", file, at)
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		log.Fatalf("%s is no checkpoint of %s", file, verifier.Name())
	}
	size := must(strconv.ParseInt(lines[1], 10, 64))
	return tlog.Tree{N: size, Hash: must(tlog.ParseHash(lines[2]))}
}

// entries reads every bundle and gives the entries.
func entries(path string, size int64) [][]byte {
	var all [][]byte
	for n := int64(0); n<<height < size; n++ {
		width := size - n<<height
		if width > 1<<height {
			width = 1 << height
		}
		rest := must(os.ReadFile(filepath.Join(path, tilePath("entries", n, int(width)))))
		for ; len(rest) > 0; width-- {
			length := int(binary.BigEndian.Uint16(rest))
			all = append(all, rest[2:2+length])
			rest = rest[2+length:]
		}
		if width != 0 {
			log.Fatalf("bundle %d has another count of entries", n)
		}
	}
	return all
}

func hashes(words []string) []tlog.Hash {
	var all []tlog.Hash
	for _, word := range words {
		var hash tlog.Hash
		if copy(hash[:], must(base64.StdEncoding.DecodeString(word))) != tlog.HashSize {
			log.Fatalf("%s is no hash", word)
		}
		all = append(all, hash)
	}
	return all
}

// bent gives copies of a proof, each with one bit flipped in one hash, and one that is too long.
func bent(proof []tlog.Hash) [][]tlog.Hash {
	all := [][]tlog.Hash{append(append([]tlog.Hash{}, proof...), tlog.Hash{})}
	for at := range proof {
		copied := append([]tlog.Hash{}, proof...)
		copied[at][at%tlog.HashSize] ^= 1
		all = append(all, copied)
	}
	return all
}

func inclusion(proof []tlog.Hash, tree tlog.Tree, index int64, leaf tlog.Hash) {
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
		log.Fatalf("inclusion of %d: %v", index, err)
	}
	for _, bad := range bent(proof) {
		if tlog.CheckRecord(bad, tree.N, tree.Hash, index, leaf) == nil {
			log.Fatalf("a false proof of inclusion of %d was accepted", index)
		}
	}
}

func consistency(proof []tlog.Hash, tree tlog.Tree, old int64, root tlog.Hash) {
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, root); err != nil {
		log.Fatalf("consistency from %d: %v", old, err)
	}
	for _, bad := range bent(proof) {
		if tlog.CheckTree(bad, tree.N, tree.Hash, old, root) == nil {
			log.Fatalf("a false proof of consistency from %d was accepted", old)
		}
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 6 {
		log.Fatal("usage: main <vkey> <directory> <old checkpoint> <new checkpoint> <proofs>")
	}
	vkey, path := os.Args[1], os.Args[2]
	verifier := must(note.NewVerifier(vkey))
	before, tree := open(os.Args[3], verifier), open(os.Args[4], verifier)

	tiles := &directory{path: path}
	reader := tlog.TileHashReader(tree, tiles)
	leaves := entries(path, tree.N)
	if int64(len(leaves)) != tree.N {
		log.Fatalf("%d entries under a checkpoint of %d", len(leaves), tree.N)
	}
	roots := map[int64]tlog.Hash{}
	for index := int64(0); index < tree.N; index++ {
		proof := must(tlog.ProveRecord(tree.N, index, reader))
		inclusion(proof, tree, index, tlog.RecordHash(leaves[index]))
		old := index + 1
		roots[old] = must(tlog.TreeHash(old, reader))
		consistency(must(tlog.ProveTree(tree.N, old, reader)), tree, old, roots[old])
	}
	if roots[before.N] != before.Hash {
		log.Fatalf("the tiles lead to another root at %d than the checkpoint", before.N)
	}

	made := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(must(os.ReadFile(os.Args[5])))), "\n") {
		words := strings.Fields(line)
		number, proof := must(strconv.ParseInt(words[1], 10, 64)), hashes(words[2:])
		made[words[0]]++
		switch words[0] {
		case "inclusion":
			inclusion(proof, tree, number, tlog.RecordHash(leaves[number]))
		case "consistency":
			consistency(proof, tree, number, roots[number])
		default:
			log.Fatalf("%s is no kind of proof", words[0])
		}
	}
	fmt.Printf(`{"size": %d, "old_size": %d, "tiles_read": %d, "inclusion": %d, "consistency": %d}`+"\n",
		tree.N, before.N, tiles.read, made["inclusion"], made["consistency"])
}
