#pragma once

#include <optional>

#include "compile/activation_source.h"
#include "data/dataset.h"
#include "distributed/shared_items.h"
#include "infer/encoder.h"

namespace asap::compile {

/// Runs the teacher over `count` examples, drawn without replacement by `seed`, and keeps the
/// inputs of every attention layer. Labels are not read. The result does not depend on `workers`:
/// threads, and ranks, each of which gets all of it.
/// DataError when the data set has fewer examples.
Activations capture_activations(const infer::Encoder& encoder, const data::Dataset& dataset,
                                std::int64_t count, std::uint64_t seed,
                                const distributed::Workers& workers);

/// The same for these examples. With `iterations`, every layer runs Sinkhorn with that many
/// iterations on the network's own scores instead of the attention it was trained with, and this
/// becomes the teacher. So the compiled operator of a layer is fitted on the inputs it will see
/// once all layers before it are replaced as well.
Activations capture_activations(const infer::Encoder& encoder, const data::Dataset& dataset,
                                std::span<const std::int64_t> examples,
                                std::optional<int> iterations, const distributed::Workers& workers);

/// UsageError unless config.teacher fits the network's attention: "own" needs Sinkhorn attention,
/// "sinkhorn:T" needs scores that are products of queries and keys.
void check_teacher(const CompileConfig& config, const config::ModelConfig& model,
                   const std::string& source);

/// The model of a training run on config.calibration + config.held_out examples of the training
/// part of config.data. Each pass runs the network again, so that only a few examples are in memory
/// at once. UsageError as check_teacher.
class RunActivations final : public ActivationSource {
 public:
  RunActivations(const std::filesystem::path& run, const CompileConfig& config,
                 const distributed::Workers& workers);

  const TeacherDescription& teacher() const override { return teacher_; }
  void for_each_chunk(const ExampleRange& range, const Visit& visit) const override;
  const data::Dataset& dataset() const { return dataset_; }

 private:
  infer::Encoder encoder_;
  data::Dataset dataset_;
  std::vector<std::int64_t> examples_;
  std::optional<int> iterations_;
  distributed::Workers workers_;
  TeacherDescription teacher_;
};

/// `count` different indices below `size` in random order.
std::vector<std::int64_t> draw_examples(std::int64_t size, std::int64_t count, std::uint64_t seed);

}  // namespace asap::compile
