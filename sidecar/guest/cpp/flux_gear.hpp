// A gear for WasmGear in C++: everything in this one header. C++20, no library needed.
//
//     #include "flux_gear.hpp"
//
//     flux::Verdict review(const flux::Record &record) {
//       if (record.get("card.pan").missing()) return flux::Verdict::reject("no card number");
//       return flux::Verdict::pass();
//     }
//
//     FLUX_GEAR(review)
//
// Build:  clang++ --target=wasm32 -std=c++20 -O2 -ffreestanding -nostdlib -mbulk-memory -fno-exceptions -fno-rtti
//                 -fno-threadsafe-statics -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=16384 -o gear.wasm gear.cpp
// With wasi-libc (then std:: is there, malloc is its own): --target=wasm32-wasi -mexec-model=reactor in place of
// -ffreestanding -nostdlib -Wl,--no-entry. On any other target the same code runs natively, with flux::testing in place of the host.
//
// What is here: reading a record (Record, Value), writing CBOR (Buffer), answers (Verdict), the gear's configuration (config),
// log lines (flux::log). Every read is checked against the end of the record; text is not checked to be UTF-8, the host did that.
// How it fails: flux::fail logs a sentence and traps; so does running out of memory.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef __wasm__
#include <map>
#include <string>
#include <utility>
#include <vector>
#include <stdexcept>
#endif
#if __STDC_HOSTED__
#include <stdlib.h>
#endif

namespace flux {

// === small things ===

/// A value, or none.
template <class T> class Maybe {
public:
  constexpr Maybe() = default;
  constexpr Maybe(T value) : value_(static_cast<T &&>(value)), there_(true) {}
  constexpr explicit operator bool() const { return there_; }
  constexpr const T &operator*() const { return value_; }
  constexpr const T *operator->() const { return &value_; }
  constexpr T or_else(T other) const { return there_ ? value_ : other; }

private:
  T value_{};
  bool there_ = false;
};

/// Bytes that somebody else owns.
struct Bytes {
  const uint8_t *data = nullptr;
  size_t size = 0;
};

/// Text that somebody else owns; a literal converts.
struct Text {
  const char *data = nullptr;
  size_t size = 0;

  constexpr Text() = default;
  constexpr Text(const char *start, size_t length) : data(start), size(length) {}
  template <size_t N> constexpr Text(const char (&literal)[N]) : data(literal), size(N - 1) {}
  Text(Bytes bytes) : data(reinterpret_cast<const char *>(bytes.data)), size(bytes.size) {}

  Bytes bytes() const { return {reinterpret_cast<const uint8_t *>(data), size}; }
  constexpr bool operator==(Text other) const {
    if (size != other.size) return false;
    for (size_t at = 0; at < size; at++)
      if (data[at] != other.data[at]) return false;
    return true;
  }
};

/// A whole number written in decimal digits and nothing else; none when it does not fit.
constexpr Maybe<uint64_t> decimal(Text text) {
  uint64_t value = 0;
  for (size_t at = 0; at < text.size; at++) {
    const char digit = text.data[at];
    if (digit < '0' || digit > '9') return {};
    const uint64_t more = static_cast<uint64_t>(digit - '0');
    if (value > (UINT64_MAX - more) / 10) return {};
    value = value * 10 + more;
  }
  if (text.size == 0) return {};
  return value;
}

namespace detail {

inline void copy(void *to, const void *from, size_t size) {
  if (size != 0) __builtin_memcpy(to, from, size);
}

} // namespace detail

// === the host ===

namespace detail {

enum class Level : uint32_t { Debug = 1, Info = 2, Warn = 3, Error = 4 };

#ifdef __wasm__
extern "C" {
__attribute__((import_module("env"), import_name("log"))) void flux_host_log(Level level, const char *text, size_t size);
__attribute__((import_module("env"), import_name("flux_config_get"))) int32_t flux_host_config_get(const char *key, size_t key_size,
                                                                                                   char *buffer, size_t buffer_size);
}
[[noreturn]] inline void end(Text) { __builtin_trap(); }
#else
inline std::map<std::string, std::string> config;
inline std::vector<std::pair<int, std::string>> logs;

inline void flux_host_log(Level level, const char *text, size_t size) {
  logs.emplace_back(static_cast<int>(level), std::string(text, size));
}
inline int32_t flux_host_config_get(const char *key, size_t key_size, char *buffer, size_t buffer_size) {
  const auto found = config.find(std::string(key, key_size));
  if (found == config.end()) return -1;
  const std::string &value = found->second;
  copy(buffer, value.data(), value.size() < buffer_size ? value.size() : buffer_size);
  return static_cast<int32_t>(value.size());
}
/// What a trap is in the sandbox, an exception is in a test.
[[noreturn]] inline void end(Text sentence) { throw std::runtime_error(std::string(sentence.data, sentence.size)); }
#endif

} // namespace detail

/// Log lines. The host escapes them, limits how much a message may write, and masks what looks like a card number.
namespace log {
inline void debug(Text text) { detail::flux_host_log(detail::Level::Debug, text.data, text.size); }
inline void info(Text text) { detail::flux_host_log(detail::Level::Info, text.data, text.size); }
inline void warn(Text text) { detail::flux_host_log(detail::Level::Warn, text.data, text.size); }
inline void error(Text text) { detail::flux_host_log(detail::Level::Error, text.data, text.size); }
} // namespace log

/// Logs a sentence at level error and ends the instance: for a gear that can't do its work at all. One message that can't
/// be processed is a Verdict::reject.
[[noreturn]] inline void fail(Text sentence) {
  log::error(sentence);
  detail::end(sentence);
}

// === memory ===

namespace detail {

#if __STDC_HOSTED__
inline void *allocate(size_t size) { return malloc(size); }
inline void release(void *block) { free(block); }
#else
extern "C" unsigned char __heap_base;

/// In front of each block.
struct alignas(16) Header {
  Header *next;
  uint32_t order;
};

struct Heap {
  uintptr_t top = 0;
  /// Free blocks of 2^order bytes, header included.
  Header *free[32] = {};
};
inline Heap heap;

inline void *allocate(size_t size) {
  uint32_t order = 5;
  while (order < 31 && (size_t{1} << order) - sizeof(Header) < size) order++;
  if ((size_t{1} << order) - sizeof(Header) < size) return nullptr;
  Header *block = heap.free[order];
  if (block != nullptr) {
    heap.free[order] = block->next;
    return block + 1;
  }
  if (heap.top == 0) heap.top = (reinterpret_cast<uintptr_t>(&__heap_base) + 15) & ~uintptr_t{15};
  const uint64_t end = uint64_t{heap.top} + (uint64_t{1} << order);
  const uint64_t pages = (end + 65535) >> 16, have = __builtin_wasm_memory_size(0);
  if (pages > 65535) return nullptr;
  if (pages > have && __builtin_wasm_memory_grow(0, static_cast<size_t>(pages - have)) == SIZE_MAX) return nullptr;
  block = reinterpret_cast<Header *>(heap.top);
  block->order = order;
  heap.top = static_cast<uintptr_t>(end);
  return block + 1;
}

inline void release(void *pointer) {
  if (pointer == nullptr) return;
  Header *block = static_cast<Header *>(pointer) - 1;
  block->next = heap.free[block->order];
  heap.free[block->order] = block;
}
#endif

} // namespace detail

// === writing ===

/// Bytes of its own that grow at the end. The members named after CBOR write one item each; array and map write the head, what
/// they hold is written behind it.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer &&other) : data_(other.data_), size_(other.size_), room_(other.room_) { other.forget(); }
  Buffer &operator=(Buffer &&other) {
    if (this != &other) {
      detail::release(data_);
      data_ = other.data_, size_ = other.size_, room_ = other.room_;
      other.forget();
    }
    return *this;
  }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  ~Buffer() { detail::release(data_); }

  size_t size() const { return size_; }
  Bytes bytes() const { return {data_, size_}; }
  Text text() const { return {bytes()}; }

  /// Makes room for `more` bytes, so that appending them does not move the buffer.
  void reserve(size_t more) {
    if (more <= room_ - size_) return;
    size_t room = room_ == 0 ? 48 : room_;
    while (room - size_ < more) {
      if (room > SIZE_MAX / 2) fail("out of memory");
      room *= 2;
    }
    uint8_t *moved = static_cast<uint8_t *>(detail::allocate(room));
    if (moved == nullptr) fail("out of memory");
    detail::copy(moved, data_, size_);
    detail::release(data_);
    data_ = moved, room_ = room;
  }

  Buffer &append(Bytes bytes) {
    reserve(bytes.size);
    detail::copy(data_ + size_, bytes.data, bytes.size);
    size_ += bytes.size;
    return *this;
  }
  Buffer &append(Text text) { return append(text.bytes()); }
  Buffer &append(uint8_t byte) { return append(Bytes{&byte, 1}); }

  Buffer &unsigned_integer(uint64_t value) { return head(0, value); }
  Buffer &integer(int64_t value) {
    return value < 0 ? head(1, ~static_cast<uint64_t>(value)) : head(0, static_cast<uint64_t>(value));
  }
  Buffer &byte_string(Bytes bytes) { return head(2, bytes.size).append(bytes); }
  Buffer &text_string(Text text) { return head(3, text.size).append(text); }
  Buffer &array(size_t elements) { return head(4, elements); }
  Buffer &map(size_t pairs) { return head(5, pairs); }
  Buffer &boolean(bool value) { return append(static_cast<uint8_t>(value ? 0xf5 : 0xf4)); }
  Buffer &null() { return append(uint8_t{0xf6}); }
  Buffer &floating(double value) {
    uint64_t bits;
    detail::copy(&bits, &value, sizeof bits);
    append(uint8_t{0xfb});
    return big_endian(bits, 8);
  }

  /// Gives the bytes away; the new owner releases them.
  Bytes hand_over() {
    const Bytes bytes = this->bytes();
    forget();
    return bytes;
  }

private:
  Buffer &head(uint8_t major, uint64_t argument) {
    const uint8_t first = static_cast<uint8_t>(major << 5);
    if (argument < 24) return append(static_cast<uint8_t>(first | argument));
    const int order = argument <= 0xff ? 0 : argument <= 0xffff ? 1 : argument <= 0xffffffff ? 2 : 3;
    append(static_cast<uint8_t>(first | (24 + order)));
    return big_endian(argument, 1 << order);
  }
  Buffer &big_endian(uint64_t value, int width) {
    for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) append(static_cast<uint8_t>(value >> shift));
    return *this;
  }
  void forget() { data_ = nullptr, size_ = 0, room_ = 0; }

  uint8_t *data_ = nullptr;
  size_t size_ = 0;
  size_t room_ = 0;
};

/// Appends the value of `key` in the configuration of the resource (spec.config, spec.configFrom) to `out`; says whether there is
/// one. It never changes while an instance lives: read it once, see FLUX_GEAR_START.
inline bool config(Text key, Buffer &out) {
  char guess[64];
  const int32_t size = detail::flux_host_config_get(key.data, key.size, guess, sizeof guess);
  if (size < 0) return false;
  if (static_cast<size_t>(size) <= sizeof guess) {
    out.append(Text(guess, static_cast<size_t>(size)));
    return true;
  }
  char *whole = static_cast<char *>(detail::allocate(static_cast<size_t>(size)));
  if (whole == nullptr) fail("out of memory");
  detail::flux_host_config_get(key.data, key.size, whole, static_cast<size_t>(size));
  out.append(Text(whole, static_cast<size_t>(size)));
  detail::release(whole);
  return true;
}

// === reading ===

/// What an item is.
enum class Type : uint8_t { Unsigned, Negative, Bytes, Text, Array, Map, Tag, Float, Boolean, Null, Other, Missing };

namespace detail {

/// Items inside each other; the host lets 32 through.
constexpr int deepest = 40;

/// The head of an item.
struct Head {
  uint8_t major = 0;
  uint8_t info = 0;
  uint64_t argument = 0;
  bool indefinite() const { return info == 31; }
  bool is_break() const { return major == 7 && info == 31; }
};

/// Reads from the front; everything it returns lies within the bytes.
class Reader {
public:
  explicit Reader(Bytes bytes) : at_(bytes.data), end_(bytes.data + bytes.size) {}

  const uint8_t *at() const { return at_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  bool take(uint64_t size, Bytes &out) {
    if (size > left()) return false;
    out = {at_, static_cast<size_t>(size)};
    at_ += size;
    return true;
  }

  bool head(Head &out) {
    Bytes first, rest;
    if (!take(1, first)) return false;
    out.major = first.data[0] >> 5, out.info = first.data[0] & 31, out.argument = out.info;
    if (out.info < 24) return true;
    if (out.info < 28) {
      if (!take(uint64_t{1} << (out.info - 24), rest)) return false;
      out.argument = 0;
      for (size_t at = 0; at < rest.size; at++) out.argument = out.argument << 8 | rest.data[at];
      return true;
    }
    return out.info == 31 && ((out.major >= 2 && out.major <= 5) || out.major == 7);
  }

  bool at_break() const { return left() > 0 && *at_ == 0xff; }

  /// Goes over one item with all that it holds.
  bool skip(int depth = 0) {
    Head head;
    if (depth > deepest || !this->head(head) || head.is_break()) return false;
    Bytes content;
    switch (head.major) {
    case 2:
    case 3: return head.indefinite() ? skip_pieces(head.major) : take(head.argument, content);
    case 4: return skip_items(head, 1, depth);
    case 5: return skip_items(head, 2, depth);
    case 6: return skip(depth + 1);
    default: return true;
    }
  }

  /// Goes over one piece of a string in pieces, or over its break, which has no content.
  bool piece(uint8_t major, Bytes &content, bool &last) {
    Head head;
    if (!this->head(head)) return false;
    last = head.is_break();
    return last || (head.major == major && !head.indefinite() && take(head.argument, content));
  }

private:
  bool skip_pieces(uint8_t major) {
    for (bool last = false; !last;) {
      Bytes content;
      if (!piece(major, content, last)) return false;
    }
    return true;
  }

  bool skip_items(const Head &head, int each, int depth) {
    for (uint64_t done = 0; head.indefinite() || done < head.argument; done++) {
      if (head.indefinite() && at_break()) return ++at_, true;
      for (int item = 0; item < each; item++)
        if (!skip(depth + 1)) return false;
    }
    return true;
  }

  const uint8_t *at_;
  const uint8_t *end_;
};

constexpr char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter; }

} // namespace detail

class Items;

/// One item of a record: a view, valid as long as the record. What is not there is a Value too, a missing one.
class Value {
public:
  Value() = default;
  /// The item that starts these bytes; missing when they hold no whole item.
  explicit Value(Bytes bytes) {
    detail::Reader reader(bytes);
    if (reader.skip()) item_ = {bytes.data, static_cast<size_t>(reader.at() - bytes.data)};
  }

  /// The item as it is encoded.
  Bytes encoded() const { return item_; }
  bool missing() const { return item_.size == 0; }
  bool null() const { return type() == Type::Null; }

  Type type() const {
    if (missing()) return Type::Missing;
    const detail::Head head = this->head();
    if (head.major < 7) return static_cast<Type>(head.major);
    switch (head.info) {
    case 20:
    case 21: return Type::Boolean;
    case 22:
    case 23: return Type::Null;
    case 25:
    case 26:
    case 27: return Type::Float;
    default: return Type::Other;
    }
  }

  Maybe<uint64_t> unsigned_integer() const {
    if (type() != Type::Unsigned) return {};
    return head().argument;
  }

  Maybe<int64_t> integer() const {
    const Type type = this->type();
    const uint64_t argument = missing() ? 0 : head().argument;
    if ((type != Type::Unsigned && type != Type::Negative) || argument > INT64_MAX) return {};
    const int64_t value = static_cast<int64_t>(argument);
    return type == Type::Unsigned ? value : -1 - value;
  }

  /// Appends the content of a text or byte string, in one piece or in several; says whether it is one.
  bool content(Buffer &out) const {
    return each_piece([&](Bytes piece) { return out.append(piece), true; });
  }

  /// Whether this is a text or byte string with that content.
  bool equals(Text text) const {
    size_t done = 0;
    const bool same = each_piece([&](Bytes piece) {
      if (piece.size > text.size - done || !(Text(piece) == Text(text.data + done, piece.size))) return false;
      done += piece.size;
      return true;
    });
    return same && done == text.size;
  }

  /// The same, with capitals and small letters alike.
  bool equals_in_any_case(Text text) const {
    size_t done = 0;
    const bool same = each_piece([&](Bytes piece) {
      if (piece.size > text.size - done) return false;
      for (size_t at = 0; at < piece.size; at++)
        if (detail::lower(static_cast<char>(piece.data[at])) != detail::lower(text.data[done + at])) return false;
      done += piece.size;
      return true;
    });
    return same && done == text.size;
  }

  /// Goes through the elements of an array, or through keys and values of a map in turn.
  inline Items items() const;

  /// The value of a key of a map. Where a key comes twice the last one counts, as in fluxrig.
  inline Value at(Text key) const;

  /// A value of nested maps; dots lead inwards: card.pan.
  Value get(Text name) const {
    Value value = *this;
    size_t start = 0;
    for (size_t at = 0; at <= name.size; at++) {
      if (at < name.size && name.data[at] != '.') continue;
      value = value.at(Text(name.data + start, at - start));
      start = at + 1;
    }
    return value;
  }

  detail::Head head() const {
    detail::Head head;
    detail::Reader(item_).head(head);
    return head;
  }

private:
  template <class Show> bool each_piece(Show show) const {
    const Type type = this->type();
    if (type != Type::Text && type != Type::Bytes) return false;
    detail::Reader reader(item_);
    detail::Head head;
    Bytes content;
    if (!reader.head(head)) return false;
    if (!head.indefinite()) return reader.take(head.argument, content) && show(content);
    for (bool last = false;;) {
      content = {};
      if (!reader.piece(head.major, content, last)) return false;
      if (last) return true;
      if (!show(content)) return false;
    }
  }

  Bytes item_;
};

/// Items one behind the other, up to a number of them or a break.
class Items {
public:
  Items() = default;
  Items(Bytes item, bool pairs) : reader_(item), pairs_(pairs) {
    detail::Head head;
    if (!reader_.head(head)) return;
    indefinite_ = head.indefinite();
    left_ = head.argument;
  }

  /// The next item, or a missing one behind the last.
  Value next() {
    if (!inside_pair_) {
      if (indefinite_ ? reader_.at_break() : left_ == 0) return {};
      left_--;
    }
    inside_pair_ = pairs_ && !inside_pair_;
    const uint8_t *start = reader_.at();
    if (!reader_.skip()) return {};
    return Value(Bytes{start, static_cast<size_t>(reader_.at() - start)});
  }

  /// Where the next item starts.
  const uint8_t *position() const { return reader_.at(); }

private:
  detail::Reader reader_{Bytes{}};
  uint64_t left_ = 0;
  bool indefinite_ = false;
  bool pairs_ = false;
  bool inside_pair_ = false;
};

inline Items Value::items() const {
  const Type type = this->type();
  if (type != Type::Array && type != Type::Map) return {};
  return Items(item_, type == Type::Map);
}

inline Value Value::at(Text key) const {
  Value found;
  if (type() != Type::Map) return found;
  Items items = this->items();
  for (Value name = items.next(); !name.missing(); name = items.next()) {
    const Value value = items.next();
    if (name.type() == Type::Text && name.equals(key)) found = value;
  }
  return found;
}

/// One fluxMsg record: a view on bytes.
class Record {
public:
  /// A record that is not there; see ok().
  Record() = default;
  explicit Record(Bytes bytes) : bytes_(bytes) {
    detail::Reader reader(bytes);
    detail::Head head;
    // The mark "this is CBOR" may come in front.
    while (reader.left() > 0 && (*reader.at() >> 5) == 6)
      if (!reader.head(head)) return;
    const Value top(Bytes{reader.at(), reader.left()});
    if (top.encoded().size != reader.left() || (top.type() != Type::Map && !top.null())) return;
    map_ = top;
    ok_ = true;
    find();
  }

  /// Whether the bytes are one CBOR map (or null, which is an empty message) and nothing else.
  bool ok() const { return ok_; }
  Bytes bytes() const { return bytes_; }
  /// The map itself.
  Value map() const { return map_; }

  Value id() const { return fields_[0]; }
  Value ref_id() const { return fields_[1]; }
  Value trace() const { return fields_[2]; }
  Value src_id() const { return fields_[3]; }
  Value meta() const { return fields_[4]; }
  Value data() const { return fields_[5]; }
  Value flags() const { return fields_[6]; }
  Value raw() const { return fields_[7]; }
  Value path() const { return fields_[8]; }
  Value ts() const { return fields_[9]; }

  /// A value of data; dots lead into nested maps: card.pan.
  Value get(Text name) const { return data().get(name); }

private:
  /// As fluxrig reads a record: capitals don't matter, and where a field comes twice the first one counts.
  void find() {
    static constexpr Text names[] = {"id", "ref_id", "trace", "src_id", "meta", "data", "flags", "raw", "path", "ts"};
    Items items = map_.items();
    for (Value name = items.next(); !name.missing(); name = items.next()) {
      const Value value = items.next();
      if (name.type() != Type::Text) continue;
      for (size_t field = 0; field < 10; field++)
        if (fields_[field].missing() && name.equals_in_any_case(names[field])) fields_[field] = value;
    }
  }

  Bytes bytes_;
  Value map_;
  Value fields_[10];
  bool ok_ = false;
};

// === changing ===

namespace detail {

/// Appends `map` with one pair more. A map of known length gets a new head, one of unknown length the pair in front of its break;
/// everything else stays byte for byte.
inline void append_with_pair(Buffer &out, Value map, Bytes key, Bytes value) {
  if (map.type() != Type::Map) {
    out.map(1).append(key).append(value);
    return;
  }
  const Bytes encoded = map.encoded();
  const Head head = map.head();
  const uint8_t *first = map.items().position(), *last = encoded.data + encoded.size - (head.indefinite() ? 1 : 0);
  if (head.indefinite())
    out.append(Bytes{encoded.data, static_cast<size_t>(last - encoded.data)}).append(key).append(value).append(uint8_t{0xff});
  else
    out.map(static_cast<size_t>(head.argument) + 1).append(Bytes{first, static_cast<size_t>(last - first)}).append(key).append(value);
}

} // namespace detail

/// A copy of the record with `value` under `key` of its metadata, in place of the value that is there or added. Everything else stays
/// byte for byte. The key flux.port picks the port that the record goes out on; the gear has to list it (spec.output.ports).
inline Buffer with_meta(const Record &record, Text key, Text value) {
  Buffer new_key, new_value, out;
  new_key.text_string(key);
  new_value.text_string(value);
  const Value meta = record.meta();
  const Bytes bytes = record.bytes();
  const uint8_t *end = bytes.data + bytes.size;
  out.reserve(bytes.size + new_key.size() + new_value.size() + 16);

  // Everything up to `upto` that is not out yet.
  const uint8_t *done = bytes.data;
  const auto copy_to = [&](const uint8_t *upto) {
    out.append(Bytes{done, static_cast<size_t>(upto - done)});
    done = upto;
  };

  bool replaced = false;
  Items items = meta.type() == Type::Map ? meta.items() : Items();
  for (Value name = items.next(); !name.missing(); name = items.next()) {
    const Value old = items.next();
    if (name.type() != Type::Text || !name.equals(key)) continue;
    copy_to(old.encoded().data);
    out.append(new_value.bytes());
    done += old.encoded().size;
    replaced = true;
  }
  if (replaced) {
    copy_to(end);
    return out;
  }
  if (!meta.missing()) {
    copy_to(meta.encoded().data);
    detail::append_with_pair(out, meta, new_key.bytes(), new_value.bytes());
    done += meta.encoded().size;
    copy_to(end);
    return out;
  }
  Buffer name, inner;
  name.text_string("meta");
  inner.map(1).append(new_key.bytes()).append(new_value.bytes());
  copy_to(record.map().encoded().data);
  detail::append_with_pair(out, record.map(), name.bytes(), inner.bytes());
  return out;
}

// === answers ===

/// Several records, to go out one by one.
class Batch {
public:
  Batch() { records_.append(uint8_t{0x9f}); }
  Batch &add(Bytes record) { return records_.append(record), *this; }
  Batch &add(const Buffer &record) { return add(record.bytes()); }
  Batch &add(const Record &record) { return add(record.bytes()); }
  Buffer close() { return static_cast<Buffer &&>(records_.append(uint8_t{0xff})); }

private:
  Buffer records_;
};

/// What becomes of a message.
class Verdict {
public:
  /// The message goes on, as it is.
  static Verdict pass() { return Verdict(0, true); }
  /// One record goes out in place of the message.
  static Verdict emit(Buffer record) { return Verdict(0, false, static_cast<Buffer &&>(record)); }
  /// Several records go out, or none.
  static Verdict emit_all(Batch batch) { return Verdict(0, false, batch.close()); }
  /// The message is refused: it is dead-lettered, or goes to the error port.
  static Verdict reject(Text reason) { return reject_with(1, reason); }
  /// The message is refused, with a number of the gear's own: 3 to 255, the rest has a meaning already.
  static Verdict reject_with(uint8_t number, Text reason) {
    Buffer text;
    text.append(reason);
    return Verdict(number == 0 || number == 2 ? 1u : number, false, static_cast<Buffer &&>(text));
  }
  /// Nothing goes out.
  static Verdict drop() { return Verdict(2, false); }

  uint32_t code() const { return code_; }
  bool passes() const { return passes_; }
  Bytes bytes() const { return bytes_.bytes(); }
  Buffer &buffer() { return bytes_; }

private:
  Verdict(uint32_t code, bool passes) : code_(code), passes_(passes) {}
  Verdict(uint32_t code, bool passes, Buffer bytes) : code_(code), passes_(passes), bytes_(static_cast<Buffer &&>(bytes)) {}

  uint32_t code_;
  bool passes_;
  Buffer bytes_;
};

namespace detail {

/// What flux_process points at.
struct Result {
  uint32_t code;
  const uint8_t *data;
  size_t size;
};
inline Result result;

inline Verdict call(Verdict (*gear)(const Record &), Bytes bytes) {
  const Record record(bytes);
  // The host refuses such records before a gear sees them.
  return record.ok() ? gear(record) : Verdict::reject("the record is no CBOR map");
}
inline Verdict call(Verdict (*gear)(Bytes), Bytes bytes) { return gear(bytes); }

template <class Gear> const Result *process(Gear gear, const uint8_t *data, size_t size) {
  Verdict verdict = call(gear, {data, size});
  const Bytes bytes = verdict.passes() ? Bytes{data, size} : verdict.buffer().hand_over();
  result = {verdict.code(), bytes.data, bytes.size};
  return &result;
}

} // namespace detail

#ifndef __wasm__
/// The host's part in native tests.
namespace testing {
inline void set_config(const std::string &key, const std::string &value) { detail::config[key] = value; }
inline void clear_config() { detail::config.clear(); }
inline std::vector<std::pair<int, std::string>> take_logs() { return std::exchange(detail::logs, {}); }
} // namespace testing
#endif

} // namespace flux

#if defined(__wasm__) && !__STDC_HOSTED__
/// What the compiler may call for in place of its own instructions.
extern "C" {
__attribute__((weak)) void *memcpy(void *to, const void *from, size_t size) {
  for (size_t at = 0; at < size; at++) static_cast<uint8_t *>(to)[at] = static_cast<const uint8_t *>(from)[at];
  return to;
}
__attribute__((weak)) void *memmove(void *to, const void *from, size_t size) {
  uint8_t *out = static_cast<uint8_t *>(to);
  const uint8_t *in = static_cast<const uint8_t *>(from);
  if (out < in)
    for (size_t at = 0; at < size; at++) out[at] = in[at];
  else
    while (size-- > 0) out[size] = in[size];
  return to;
}
__attribute__((weak)) void *memset(void *to, int byte, size_t size) {
  for (size_t at = 0; at < size; at++) static_cast<uint8_t *>(to)[at] = static_cast<uint8_t>(byte);
  return to;
}
void __wasm_call_ctors();
}
/// wasi-libc brings its own.
#define FLUX_GEAR_INITIALIZE                                                                                                             \
  extern "C" __attribute__((export_name("_initialize"))) void flux_gear_initialize() { __wasm_call_ctors(); }
#else
#define FLUX_GEAR_INITIALIZE
#endif

#ifdef __wasm__
#define FLUX_GEAR_EXPORT(name) extern "C" __attribute__((export_name(name)))

/// Makes a function the entrypoint of the module. It takes a const flux::Record & or flux::Bytes and returns a flux::Verdict.
#define FLUX_GEAR(gear)                                                                                                                  \
  FLUX_GEAR_EXPORT("flux_alloc") void *flux_gear_alloc(size_t size) { return flux::detail::allocate(size); }                             \
  FLUX_GEAR_EXPORT("flux_free") void flux_gear_free(void *data, size_t) { flux::detail::release(data); }                                 \
  FLUX_GEAR_EXPORT("flux_process") const void *flux_gear_process(const uint8_t *data, size_t size) {                                     \
    return flux::detail::process(gear, data, size);                                                                                      \
  }                                                                                                                                      \
  FLUX_GEAR_INITIALIZE

/// Makes a function run once for each instance, before its first message: the place to read the configuration. When it
/// fails (flux::fail) the module does not load, so that a wrong configuration stops the new revision and not the stream.
#define FLUX_GEAR_START(start) __attribute__((constructor)) static void flux_gear_start() { start(); }
#else
#define FLUX_GEAR(gear)                                                                                                                  \
  [[maybe_unused]] static const flux::detail::Result *flux_gear_process(const uint8_t *data, size_t size) {                              \
    return flux::detail::process(gear, data, size);                                                                                      \
  }
#define FLUX_GEAR_START(start) [[maybe_unused]] static void flux_gear_start() { start(); }
#endif
