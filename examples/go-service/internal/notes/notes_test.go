package notes

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func request(t *testing.T, h http.Handler, method, path, body string, want int) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	if w.Code != want {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, want, w.Body)
	}
	return w
}

func TestNotes(t *testing.T) {
	h := Handler(NewStore(), "test")

	var made, got Note
	w := request(t, h, "POST", "/notes", `{"text": "milk"}`, http.StatusCreated)
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	w = request(t, h, "GET", "/notes/"+made.ID, "", http.StatusOK)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got != made || got.Text != "milk" {
		t.Errorf("got %v, made %v", got, made)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	h := Handler(NewStore(), "test")

	request(t, h, "GET", "/notes/none", "", http.StatusNotFound)
	request(t, h, "POST", "/notes", `{}`, http.StatusBadRequest)
	request(t, h, "POST", "/notes", `[`, http.StatusBadRequest)
}

func TestOrder(t *testing.T) {
	store := NewStore()
	for _, text := range []string{"a", "b", "c"} {
		store.Add(text)
	}
	var texts []string
	for _, note := range store.All() {
		texts = append(texts, note.Text)
	}
	if got := strings.Join(texts, ""); got != "abc" {
		t.Errorf("got %q", got)
	}
}
