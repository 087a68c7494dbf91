#pragma once

#include <functional>

#include "compile/activations.h"

namespace asap::compile {

/// Examples [first, first + count).
struct ExampleRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// What is known of a teacher and its calibration examples before any of them is computed.
struct TeacherDescription {
  std::int64_t examples = 0;  // B
  std::int64_t layers = 0;
  std::int64_t heads = 0;         // H
  std::int64_t head_width = 0;    // D
  int iterations = 0;             ///< T
  bool has_values = true;         ///< without values there is no output error
  bool has_slack = false;         ///< its columns sum to at most 1 + c times N / M
  std::string model_fingerprint;  ///< empty when the model is not known
  std::string source;             ///< where the examples come from
  io::Json other_data = {};       ///< keys of `data` that differ from the training's; null: none
  std::string skipped{};          ///< files beside the data that were not read; empty: none
};

/// DataError, which names `source`, where it has fewer examples than calibration and held_out need.
void require_examples(const std::string& source, std::int64_t examples, std::int64_t wanted);

/// The inputs of the attention layers of a teacher, a few examples at a time: a fit takes several
/// passes over the examples, and none needs more than one chunk of them at once.
class ActivationSource {
 public:
  /// Called with activations of some examples, the range of those in them that are meant, and the
  /// number, among all examples, of the first of these.
  using Visit =
      std::function<void(const Activations& chunk, const ExampleRange& inside, std::int64_t first)>;

  virtual ~ActivationSource() = default;
  virtual const TeacherDescription& teacher() const = 0;
  /// Visits the examples of `range` in order.
  virtual void for_each_chunk(const ExampleRange& range, const Visit& visit) const = 0;
};

/// Activations that are in memory as a whole.
class ResidentActivations final : public ActivationSource {
 public:
  /// Keeps a reference to the first, owns the second.
  explicit ResidentActivations(const Activations& activations);
  explicit ResidentActivations(Activations&& activations);

  const TeacherDescription& teacher() const override { return teacher_; }
  void for_each_chunk(const ExampleRange& range, const Visit& visit) const override {
    visit(*activations_, range, range.first);
  }

 private:
  Activations owned_;
  const Activations* activations_;
  TeacherDescription teacher_;
};

}  // namespace asap::compile
