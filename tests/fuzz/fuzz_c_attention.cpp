// Fuzz target: the arguments of the C functions of attention and potentials. See README.md.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "c_api/asap.h"

namespace {

constexpr std::int64_t kMostElements = 1 << 14;  // of one array; inputs that need more are left out

/// Reads arguments from the bytes of an input; zeros after its end.
class Arguments {
 public:
  Arguments(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
  bool flag() { return byte() % 2 == 1; }
  /// A size: mostly small, now and then none.
  std::int64_t size() {
    constexpr std::int64_t kOdd[] = {
        -1, 0, INT64_MIN, INT64_MAX, INT64_C(1) << 40, INT64_C(1) << 62};
    const std::uint8_t chosen = byte();
    return chosen >= 250 ? kOdd[chosen - 250] : 1 + chosen % 5;
  }
  float number() {
    constexpr float kOdd[] = {NAN, INFINITY, -INFINITY, 3e38F, 1e-40F, -0.0F};
    const std::uint8_t chosen = byte();
    return chosen >= 250 ? kOdd[chosen - 250] : (static_cast<float>(chosen) - 125) / 32;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

/// Elements of an array of these sizes: 0 where one of them is none, INT64_MAX beyond the 2^40 that
/// the library refuses.
std::int64_t elements(std::initializer_list<std::int64_t> sizes) {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) {
    if (size < 1) return 0;
    if (product > (std::int64_t{1} << 40) / size) return INT64_MAX;
    product *= size;
  }
  return product;
}

/// Whether there is an array that can be made here.
bool fits(std::initializer_list<std::int64_t> sizes) {
  const std::int64_t count = elements(sizes);
  return count > 0 && count <= kMostElements;
}

/// Whether the library may read more than can be made here.
bool is_too_large(std::initializer_list<std::int64_t> sizes) {
  const std::int64_t count = elements(sizes);
  return count > kMostElements && count != INT64_MAX;
}

/// One attention whose arrays are as large as its sizes say, to the byte, so that the sanitizer
/// sees every step beyond them.
struct Drawn {
  asap_attention attention = {};
  std::vector<std::unique_ptr<float[]>> arrays;
  std::unique_ptr<std::int64_t[]> query_lengths, key_lengths;
  std::unique_ptr<std::uint8_t[]> query_mask, key_mask;
  bool usable = true;

  explicit Drawn(Arguments& from) {
    asap_attention& a = attention;
    a.examples = from.size();
    a.heads = from.size();
    a.query_tokens = from.size();
    a.key_tokens = from.size();
    a.width = from.size();
    a.value_width = from.size();
    a.scale = from.flag() ? from.number() : 0;
    a.queries = array(from, a.query_tokens, a.width);
    a.keys = array(from, a.key_tokens, a.width);
    a.values = array(from, a.key_tokens, a.value_width);
    if (from.flag() && fits({a.examples, a.query_tokens}) && fits({a.examples, a.key_tokens})) {
      query_lengths = lengths(from, a.query_tokens);
      key_lengths = lengths(from, a.key_tokens);
      a.query_lengths = query_lengths.get();
      a.key_lengths = key_lengths.get();
    }
    if (from.flag() && fits({a.examples, a.query_tokens}) && fits({a.examples, a.key_tokens})) {
      query_mask = mask(from, a.query_tokens);
      key_mask = mask(from, a.key_tokens);
      a.query_mask = query_mask.get();
      a.key_mask = key_mask.get();
    }
  }

  /// Without memory where the sizes are none, with one damaged stride now and then.
  asap_array array(Arguments& from, std::int64_t tokens, std::int64_t width) {
    const asap_attention& a = attention;
    if (from.byte() >= 250) return {};
    arrays.push_back(std::make_unique<float[]>(1));
    asap_array drawn{arrays.back().get(), 0, 0, 0};
    usable = usable && !is_too_large({a.examples, a.heads, tokens, width});
    if (!fits({a.examples, a.heads, tokens, width})) return drawn;
    const std::int64_t size = a.examples * a.heads * tokens * width;
    arrays.back() = std::make_unique<float[]>(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i)
      arrays.back()[static_cast<std::size_t>(i)] = from.number();
    drawn = {arrays.back().get(), a.heads * tokens * width, tokens * width, width};
    // Smaller strides stay inside the array.
    if (from.byte() >= 250) drawn.token_stride = from.byte() % (width + 1) - 1;
    if (from.byte() >= 250) drawn.head_stride = -1;
    return drawn;
  }
  std::unique_ptr<std::int64_t[]> lengths(Arguments& from, std::int64_t most) const {
    auto drawn = std::make_unique<std::int64_t[]>(static_cast<std::size_t>(attention.examples));
    for (std::int64_t b = 0; b < attention.examples; ++b)
      drawn[static_cast<std::size_t>(b)] =
          from.byte() >= 250 ? from.size() : from.byte() % (most + 1);
    return drawn;
  }
  std::unique_ptr<std::uint8_t[]> mask(Arguments& from, std::int64_t tokens) const {
    const auto size = static_cast<std::size_t>(attention.examples * tokens);
    auto drawn = std::make_unique<std::uint8_t[]>(size);
    for (std::size_t i = 0; i < size; ++i) drawn[i] = from.byte() % 3;
    return drawn;
  }
};

/// A result of [examples, heads, tokens, width], or of one element where sizes are none.
struct Result {
  std::int64_t size = 1;
  std::unique_ptr<float[]> data;
  asap_result described = {};

  Result(const asap_attention& a, std::int64_t tokens, std::int64_t width) {
    const bool real = fits({a.examples, a.heads, tokens, width});
    if (real) size = a.examples * a.heads * tokens * width;
    data = std::make_unique<float[]>(static_cast<std::size_t>(size));
    std::fill_n(data.get(), size, -7.0F);
    if (real) described = {data.get(), a.heads * tokens * width, tokens * width, width};
    described.data = data.get();
  }
  void check(asap_status status) const {
    for (std::int64_t i = 0; i < size; ++i) {
      const float value = data[static_cast<std::size_t>(i)];
      asap::base::check(status == ASAP_OK ? std::isfinite(value) : value == -7,
                        "results are finite, or untouched after an error");
    }
  }
};

void check_status(asap_status status, const asap_error& error) {
  asap::base::check(status == ASAP_OK || status == ASAP_USAGE || status == ASAP_NUMERICAL,
                    "wrong arguments are no defect");
  asap::base::check(status == ASAP_OK || (error.status == status && error.message[0] != 0),
                    "an error has a message");
}

void attend(Arguments& from) {
  const bool softmax = from.flag();
  const int iterations = from.byte() % 5 - 1;
  const Drawn drawn(from);
  const asap_attention& a = drawn.attention;
  if (!drawn.usable || is_too_large({a.examples, a.heads, a.query_tokens, a.value_width})) return;
  asap_error error{};
  const Result output(a, a.query_tokens, a.value_width);
  const asap_status status =
      softmax ? asap_softmax_attention(&a, &output.described, &error)
              : asap_sinkhorn_attention(&a, iterations, &output.described, &error);
  check_status(status, error);
  output.check(status);
  if (status != ASAP_OK) return;
  const Result queries(a, a.query_tokens, a.width), keys(a, a.key_tokens, a.width),
      values(a, a.key_tokens, a.value_width);
  const asap_gradients gradients{queries.described, keys.described, values.described};
  const asap_array gradient{output.data.get(), output.described.example_stride,
                            output.described.head_stride, output.described.token_stride};
  const asap_status back =
      softmax ? asap_softmax_attention_backward(&a, &gradient, &gradients, &error)
              : asap_sinkhorn_attention_backward(&a, iterations, &gradient, &gradients, &error);
  check_status(back, error);
  for (const Result* result : {&queries, &keys, &values}) result->check(back);
}

void find_potentials(Arguments& from) {
  const std::int64_t n = from.size(), m = from.size();
  const auto numbers = [&](std::int64_t count) {
    std::vector<double> drawn(fits({count}) ? static_cast<std::size_t>(count) : 0);
    for (double& value : drawn) value = from.number();
    return drawn;
  };
  const std::vector<double> s = numbers(n), t = numbers(m);
  if (is_too_large({n}) || is_too_large({m})) return;
  std::vector<double> phi(s.size(), -7), psi(t.size(), -7);
  asap_error error{};
  const asap_status status = asap_potentials_1d(s.data(), n, t.data(), m, phi.data(),
                                                from.flag() ? psi.data() : nullptr, &error);
  check_status(status, error);
  for (const double value : phi)
    asap::base::check(status == ASAP_OK ? std::isfinite(value) : value == -7,
                      "potentials are finite, or untouched after an error");
}

}  // namespace

/// Wrong arguments may only be refused; results are finite or untouched.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  asap_set_threads(1, nullptr);
  Arguments from(data, size);
  if (from.byte() % 8 == 0)
    find_potentials(from);
  else
    attend(from);
  return 0;
}
