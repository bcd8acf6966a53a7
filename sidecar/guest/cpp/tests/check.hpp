// As much of a test framework as it takes. A failed check is said, and counts; the program ends with their number.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

inline int failures = 0;

#define CHECK(condition)                                                                                                                 \
  do {                                                                                                                                   \
    if (!(condition)) {                                                                                                                  \
      std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                                                \
      failures++;                                                                                                                        \
    }                                                                                                                                    \
  } while (false)

/// A copy on the heap, so that the sanitizer sees each byte read beyond its end.
class Exact {
public:
  explicit Exact(const std::string &bytes) : size_(bytes.size()), data_(static_cast<uint8_t *>(std::malloc(size_ == 0 ? 1 : size_))) {
    if (size_ != 0) std::memcpy(data_, bytes.data(), size_);
  }
  Exact(const Exact &) = delete;
  Exact &operator=(const Exact &) = delete;
  ~Exact() { std::free(data_); }
  flux::Bytes bytes() const { return {data_, size_}; }

private:
  size_t size_;
  uint8_t *data_;
};

inline std::string text(flux::Bytes bytes) { return {reinterpret_cast<const char *>(bytes.data), bytes.size}; }
inline std::string text(const flux::Buffer &buffer) { return text(buffer.bytes()); }

/// Bytes of a literal, zeros included.
template <size_t N> std::string raw(const char (&literal)[N]) { return {literal, N - 1}; }

/// Ends the program.
inline int report(const char *what) {
  std::printf("%s: %s\n", what, failures == 0 ? "all checks hold" : "checks failed");
  return failures == 0 ? 0 : 1;
}
