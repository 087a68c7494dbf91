#include <memory>

#include "c_api/head_attention.h"
#include "python/arrays.h"
#include "python/bindings.h"

namespace nb = nanobind;

namespace asap::python {
namespace {

/// Which attention is computed.
struct AttentionKind {
  std::optional<int> iterations;  ///< none: softmax attention
  double scale = 0;               ///< of the scores; 0: 1 / sqrt(D)

  template <class T>
  std::unique_ptr<attention::TrainableAttention<T>> make() const {
    return iterations ? c_api::sinkhorn_kind<T>(*iterations) : c_api::softmax_kind<T>();
  }
};

template <class T>
c_api::HeadArrays<T> arrays_of(const AttentionKind& kind, const Heads<const T>& queries,
                               const Heads<const T>& keys, const Heads<const T>& values,
                               const LiveTokens& live) {
  c_api::HeadArrays<T> arrays = head_arrays<T>(queries, keys, &values, live);
  arrays.scale = static_cast<T>(kind.scale);
  return arrays;
}

template <class T>
void attend(const AttentionKind& kind, const Heads<const T>& queries, const Heads<const T>& keys,
            const Heads<const T>& values, const LiveTokens& live, const Heads<T>& output) {
  const nb::gil_scoped_release unlocked;
  c_api::attend<T>(*kind.make<T>(), arrays_of(kind, queries, keys, values, live),
                   head_array(output));
}

template <class T>
void attend_backward(const AttentionKind& kind, const Heads<const T>& queries,
                     const Heads<const T>& keys, const Heads<const T>& values,
                     const LiveTokens& live, const Heads<const T>& output_gradient,
                     const Heads<T>& query_gradient, const Heads<T>& key_gradient,
                     const Heads<T>& value_gradient) {
  const nb::gil_scoped_release unlocked;
  c_api::attend_backward<T>(
      *kind.make<T>(), arrays_of(kind, queries, keys, values, live), head_array(output_gradient),
      {head_array(query_gradient), head_array(key_gradient), head_array(value_gradient)});
}

template <class T>
void bind_functions(nb::module_& module) {
  const auto plain = [](const char* name) { return nb::arg(name).noconvert(); };
  module.def("attend", &attend<T>, nb::arg("kind"), plain("q"), plain("k"), plain("v"),
             nb::arg("live"), plain("output"));
  module.def("attend_backward", &attend_backward<T>, nb::arg("kind"), plain("q"), plain("k"),
             plain("v"), nb::arg("live"), plain("output_gradient"), plain("q_gradient"),
             plain("k_gradient"), plain("v_gradient"));
}

}  // namespace

void bind_attention(nb::module_& module) {
  nb::class_<AttentionKind>(module, "AttentionKind")
      .def(
          "__init__",
          [](AttentionKind* kind, std::optional<int> iterations, double scale) {
            new (kind) AttentionKind{iterations, scale};
          },
          nb::arg("iterations").none(), nb::arg("scale"));
  nb::class_<LiveTokens>(module, "LiveTokens")
      .def(
          "__init__",
          [](LiveTokens* live, decltype(LiveTokens::query_lengths) query_lengths,
             decltype(LiveTokens::key_lengths) key_lengths,
             decltype(LiveTokens::query_mask) query_mask, decltype(LiveTokens::key_mask) key_mask) {
            new (live) LiveTokens{std::move(query_lengths), std::move(key_lengths),
                                  std::move(query_mask), std::move(key_mask)};
          },
          nb::arg("query_lengths").none(), nb::arg("key_lengths").none(),
          nb::arg("query_mask").none(), nb::arg("key_mask").none());
  bind_functions<float>(module);
  bind_functions<double>(module);
}

}  // namespace asap::python
