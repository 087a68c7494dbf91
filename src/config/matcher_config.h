#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config_fields.h"
#include "config/optimisation_fields.h"

namespace asap::config {

/// The partner of a keypoint: its index in the other image, or one of these.
inline constexpr std::int32_t kNoPartner = -1;
inline constexpr std::int32_t kAmbiguous = -2;  ///< neither trained on nor scored

/// How numbers of a descriptor become a vector of length one: see data/keypoints/descriptors.h.
enum class DescriptorKind { automatic, histogram, vector, bits };

/// How scores become an assignment: transport with dustbins (Sarlin et al. 2020, "SuperGlue"), or
/// the product of the softmax over rows, the one over columns and the matchability of both points
/// (Lindenberger et al. 2023, "LightGlue").
enum class MatcherOutput { dustbin, dual_softmax };

/// Pairs of sets of keypoints in files: see data/keypoints/keypoint_pairs.h.
struct KeypointDataConfig {
  std::string train = "keypoints/train.npz";
  std::string test = "keypoints/test_moderate.npz,keypoints/test_strong.npz";
  DescriptorKind descriptors = DescriptorKind::automatic;
  int train_pairs = 0;  ///< use only the first N; 0: all
  int test_pairs = 0;   ///< use only the first N of each file; 0: all

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("train", train,
            "matcher: file of training pairs (.npz, .safetensors), also searched in ASAP_DATA_DIR");
    v.field("test", test, "matcher: files of test pairs, separated by commas; empty: none");
    v.choice("descriptors", descriptors,
             {{"automatic", DescriptorKind::automatic},
              {"histogram", DescriptorKind::histogram},
              {"vector", DescriptorKind::vector},
              {"bits", DescriptorKind::bits}},
             "matcher: what descriptors are: histograms (SIFT), vectors (SuperPoint), bits (ORB), "
             "or seen from their type and values");
    v.field("train_pairs", train_pairs, "matcher: use only the first N training pairs; 0: all",
            at_least(0));
    v.field("test_pairs", test_pairs, "matcher: use only the first N pairs of a test file; 0: all",
            at_least(0));
  }
};

/// The matching network: see nn/matcher.h.
struct MatcherConfig {
  int width = 64;
  int heads = 2;
  int layers = 3;  ///< each of self-attention in both images, then cross-attention
  MatcherOutput output = MatcherOutput::dustbin;
  int iterations = 20;       ///< T of the transport with dustbins
  double bin_start = 4;      ///< first score of the dustbin
  double start_gain = 10;    ///< factor of the descriptors' similarity in the first scores
  int descriptor_width = 0;  ///< numbers of a descriptor after decoding; 0: taken from the data
  DescriptorKind descriptors = DescriptorKind::automatic;  ///< automatic: taken from the data
  double response_scale = 0;  ///< factor of the response of a keypoint; 0: taken from the data

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("width", width, "matcher: width of a keypoint's vector, a multiple of heads",
            between(1, 4096));
    v.field("heads", heads, "matcher: attention heads", between(1, 4096));
    v.field("layers", layers, "matcher: layers of self- and cross-attention", between(1, 100));
    v.choice("output", output,
             {{"dustbin", MatcherOutput::dustbin}, {"dual_softmax", MatcherOutput::dual_softmax}},
             "matcher: Sinkhorn's transport with dustbins, or dual softmax with matchability");
    v.field("iterations", iterations, "dustbin: iterations T of the transport", between(0, 10000));
    v.field("bin_start", bin_start, "dustbin: first score of the dustbin", between(-1000, 1000));
    v.field("start_gain", start_gain,
            "matcher: factor of the descriptors' similarity in the scores of the untrained network",
            {0, 10000, true});
    v.field("descriptor_width", descriptor_width,
            "matcher: numbers of a descriptor; 0: taken from the data", between(0, 65536));
    v.choice("descriptors", descriptors,
             {{"automatic", DescriptorKind::automatic},
              {"histogram", DescriptorKind::histogram},
              {"vector", DescriptorKind::vector},
              {"bits", DescriptorKind::bits}},
             "matcher: the descriptors that the network reads; automatic: taken from the data");
    v.field("response_scale", response_scale,
            "matcher: factor of the response of a keypoint; 0: so that its mean becomes .25",
            between(0, 1e12));
  }
};

enum class MatcherModelKind { matcher };

/// `model` of a configuration whose model.kind is matcher.
struct MatcherModelConfig {
  MatcherModelKind kind = MatcherModelKind::matcher;
  MatcherConfig matcher;

  template <class Visitor>
  void visit(Visitor& v) {
    v.choice("kind", kind, {{"matcher", MatcherModelKind::matcher}},
             "matcher: a network that matches two sets of keypoints");
    v.group("matcher", matcher, "the matching network");
  }
};

/// How a matcher is trained; the names are those of OptimisationConfig.
struct MatcherOptimisationConfig {
  std::int64_t max_steps = 1500;
  int batch = 8;
  int keypoints = 192;
  bool vary = true;
  double learning_rate = 4e-3;
  double warmup_fraction = 0.05;
  double final_learning_rate_fraction = 0.01;
  double weight_decay = 0.01;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double clip_norm = 1;
  double bin_rate = 10;
  int checkpoint_every = 500;
  int keep_checkpoints = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("max_steps", max_steps, "number of training steps", between(1, 1e9));
    v.field("batch", batch, "pairs per step", between(1, 1'000'000));
    v.field("keypoints", keypoints, "matcher: most keypoints of a view in training; 0: all",
            between(0, 1'000'000));
    v.field(
        "vary", vary,
        "matcher: draw those keypoints anew in every step, turn both views alike and swap them; "
        "otherwise those of the largest response are used as they are");
    visit_adamw_fields(v, *this);
    v.field("bin_rate", bin_rate,
            "matcher: learning rate of the dustbin's score, as a multiple of the others'",
            {0, 1000, true});
    visit_checkpoint_fields(v, *this);
  }
};

/// Everything that decides the training of a matcher.
struct MatcherTrainConfig {
  KeypointDataConfig data;
  MatcherModelConfig model;
  MatcherOptimisationConfig train;
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.group("data", data, "the pairs of sets of keypoints");
    v.group("model", model, "the network");
    v.group("train", train, "the training");
    v.field("seed", seed, "seed of the initial weights and the order of the pairs");
  }

  /// UsageError when fields do not fit each other. `source`: the file or command line.
  void validate(const std::string& source) const;
};

/// Whether a configuration, in JSON, is that of a matcher: model.kind is matcher.
bool is_matcher(const io::Json& config);

/// "matcher, 3 layers of width 64 with 2 heads, transport with dustbins (T = 20)"
std::string describe_matcher(const MatcherConfig& matcher);

}  // namespace asap::config
