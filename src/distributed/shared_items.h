#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "distributed/ranks.h"

namespace asap::distributed {

/// The threads and ranks that share a computation.
struct Workers {
  Workers(int threads_, Ranks& ranks_) : threads(threads_), ranks(&ranks_) {}
  Workers(int threads_) : threads(threads_) {}  // NOLINT(google-explicit-constructor)

  int threads = 1;
  Ranks* ranks = &single_rank();
};

/// Items 0 to `count` - 1 of a computation, dealt out to the ranks like cards: item i belongs to
/// rank i mod ranks, because neighbours take about as long.
class ItemShare {
 public:
  ItemShare(Ranks& ranks, std::int64_t count) : ranks_(ranks), count_(count) {}

  /// The number of items of this rank, and the item at one of its places 0 to own() - 1.
  std::int64_t own() const { return (count_ - ranks_.rank() + ranks_.size() - 1) / ranks_.size(); }
  std::int64_t item(std::int64_t place) const { return place * ranks_.size() + ranks_.rank(); }
  bool is_shared() const { return ranks_.size() > 1; }

  /// Gives every rank the bytes of all items. `own`: of this rank's items, by place.
  std::vector<std::string> exchange(const std::vector<std::string>& own) const;
  /// The same for numbers and plain structs.
  template <class T>
  std::vector<T> exchange_values(std::span<const T> own) const;

 private:
  Ranks& ranks_;
  std::int64_t count_;
};

/// Appends numbers and plain structs as bytes.
template <class T>
void pack(std::span<const T> values, std::string& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}
template <class T>
void pack_value(const T& value, std::string& bytes) {
  pack(std::span<const T>(&value, 1), bytes);
}

/// Reads what pack() wrote, in the same order.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  void fill(std::span<T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    base::check(rest_.size() >= values.size_bytes(), "Unpacker: the ranks agree on sizes");
    if (!values.empty()) std::memcpy(values.data(), rest_.data(), values.size_bytes());
    rest_.remove_prefix(values.size_bytes());
  }
  template <class T>
  T value() {
    T value{};
    fill(std::span(&value, 1));
    return value;
  }

 private:
  std::string_view rest_;
};

/// The values of all ranks, numbers or plain structs, by rank.
template <class T>
std::vector<T> gather_values(Ranks& ranks, const T& own) {
  std::string packed;
  pack_value(own, packed);
  std::vector<T> all;
  for (const std::string& bytes : ranks.gather(packed)) all.push_back(Unpacker(bytes).value<T>());
  return all;
}

template <class T>
std::vector<T> ItemShare::exchange_values(std::span<const T> own) const {
  std::vector<std::string> packed(own.size());
  for (std::size_t place = 0; place < own.size(); ++place) pack_value(own[place], packed[place]);
  std::vector<T> all;
  for (const std::string& bytes : exchange(packed)) all.push_back(Unpacker(bytes).value<T>());
  return all;
}

}  // namespace asap::distributed
