#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "config/config_fields.h"
#include "config/convolution_config.h"
#include "tensor/core/product_precision.h"

namespace asap::config {

enum class AttentionKind { softmax, sinkhorn, sinkformer, espformer, lotformer, differential };

/// How the gradient of Sinkhorn's iterations is computed: through all T iterations, or at the fixed
/// point they approach.
enum class SinkhornGradient { exact, implicit };

/// Slack of Sinkhorn attention: columns of the plan sum to N / M, or to at most 1 + c times that,
/// with c given or learned for each head.
enum class SlackKind { none, fixed, learned };

struct AttentionConfig {
  AttentionKind kind = AttentionKind::sinkhorn;
  int iterations = 10;  ///< T: column and row updates after the first row update
  double epsilon = 1;   ///< entropic regularisation, in units of the scores
  bool learn_epsilon = false;
  SinkhornGradient gradient = SinkhornGradient::exact;
  SlackKind slack = SlackKind::none;
  double slack_start = 8;                  ///< c; of learned slack, its first value
  int slices = 0;                          ///< of espformer; 0: every coordinate of a head
  double sort_inverse_temperature = 10;    ///< of espformer's soft sort, in units of 1 / score
  double slice_inverse_temperature = 0.1;  ///< of espformer's slice weights; 0: equal weights
  int pivots = 16;                         ///< of lotformer, for each head

  /// Whether the plan is that of Sinkhorn's iterations, however it is trained.
  bool has_sinkhorn_plan() const {
    return kind == AttentionKind::sinkhorn || kind == AttentionKind::sinkformer;
  }

  template <class Visitor>
  void visit(Visitor& v) {
    v.choice(
        "kind", kind,
        {{"softmax", AttentionKind::softmax},
         {"sinkhorn", AttentionKind::sinkhorn},
         {"sinkformer", AttentionKind::sinkformer},
         {"espformer", AttentionKind::espformer},
         {"lotformer", AttentionKind::lotformer},
         {"differential", AttentionKind::differential}},
        "attention kind: how scores become the plan; no kind is causal, because the only causal "
        "plan that is doubly stochastic is the identity");
    v.field("iterations", iterations,
            "Sinkhorn iterations T, each with one column and one row update", between(0, 10000));
    v.field("epsilon", epsilon, "entropic regularisation, by which scores are divided", above(0));
    v.field("learn_epsilon", learn_epsilon, "train one epsilon per head, starting from epsilon");
    v.choice("gradient", gradient,
             {{"exact", SinkhornGradient::exact}, {"implicit", SinkhornGradient::implicit}},
             "gradient through all T iterations, or at their fixed point");
    v.choice(
        "slack", slack,
        {{"none", SlackKind::none}, {"fixed", SlackKind::fixed}, {"learned", SlackKind::learned}},
        "sinkhorn: column sums fixed at N / M (none), or at most 1 + c times that");
    v.field("slack_start", slack_start,
            "sinkhorn with slack: c of every head; learned slack starts there", between(0, 1e6));
    v.field("slices", slices, "espformer: coordinates of a head to sort by; 0: all",
            between(0, 65536));
    v.field("sort_inverse_temperature", sort_inverse_temperature,
            "espformer: sharpness of the soft sort, in units of 1 / score", above(0));
    v.field("slice_inverse_temperature", slice_inverse_temperature,
            "espformer: how strongly slices of lower cost are preferred; 0: equal weights",
            at_least(0));
    v.field("pivots", pivots, "lotformer: learned pivots of each head", between(1, 65536));
  }
};

/// What lies between the two linear layers of the feed-forward part.
enum class FeedForwardKind { dense, region };
enum class Activation { gelu, gelu_erf, relu };

/// The feed-forward part of every layer: one activation for all channels, or a small learned
/// region-constrained ReLU network per channel (Milkert, Hyde and Laine, ICML 2025).
struct FeedForwardConfig {
  FeedForwardKind kind = FeedForwardKind::dense;
  Activation activation = Activation::gelu;  ///< of dense
  int depth = 3;                             ///< of region: hidden layers of width 4
  double interval = 10;                      ///< of region: regions lie in [-interval, interval]

  template <class Visitor>
  void visit(Visitor& v) {
    v.choice(
        "kind", kind, {{"dense", FeedForwardKind::dense}, {"region", FeedForwardKind::region}},
        "activation: one for all channels, or a learned region-constrained network per channel");
    v.choice("activation", activation,
             {{"gelu", Activation::gelu},
              {"gelu_erf", Activation::gelu_erf},
              {"relu", Activation::relu}},
             "dense: the activation; gelu is its approximation by tanh, gelu_erf the exact one");
    v.field("depth", depth, "region: hidden layers d of each network, which has 2^d regions",
            between(1, 8));
    v.field("interval", interval, "region: the regions lie between -interval and interval",
            {0, 1000, true});
  }
};

/// The network: a Transformer on image patches, on sequences of token ids or on sets of points, or
/// a multi-layer perceptron on whole images, perhaps behind convolutions.
enum class ModelKind { vit, text, set, mlp, convolutional };

/// How token vectors become one vector per example; or `none`: every token is classified. The class
/// token is a learned vector before the tokens; the first token is one of the text, as BERT's
/// [CLS].
enum class Pooling { mean, class_token, first_token, none };

/// Where layer norms stand: before attention and feed-forward part, with one more after the last
/// layer, or after each residual sum, with none at the end (Xiong et al. 2020).
enum class NormPosition { pre, post };

/// How a network learns the position of a token. Sets have no positions.
enum class Positions { learned, none };

struct ModelConfig {
  ModelKind kind = ModelKind::vit;
  int image_height = 0;       ///< pixels; 0: taken from the data
  int image_width = 0;        ///< pixels; 0: taken from the data
  int channels = 0;           ///< 0: taken from the data
  int classes = 0;            ///< 0: taken from the data
  int patch = 4;              ///< pixels along one side
  int vocabulary = 0;         ///< text: token ids are below it; 0: taken from the data
  int max_tokens = 0;         ///< text with positions: longest example; 0: taken from the data
  int separator = 0;          ///< text: see has_segments(); 0: none
  int point_width = 0;        ///< set: numbers per point; 0: taken from the data
  int point_frequencies = 0;  ///< set: see tensor/kernels/point_features.h; 0: no added features
  Positions positions = Positions::learned;
  int width = 64;
  int heads = 2;
  int layers = 3;
  double mlp_ratio = 2;
  Pooling pooling = Pooling::mean;
  bool pooler = false;  ///< a linear layer and tanh between pooling and classifier
  NormPosition norm = NormPosition::pre;
  double norm_epsilon = 1e-5;   ///< added to the variance in layer norms
  bool embedding_norm = false;  ///< a layer norm of the embedded tokens with their positions
  double dropout = 0;
  double embedding_dropout = 0;  ///< of the embedded tokens, before positions are added
  /// Inside encoder layers: of linear layers, and in training of softmax and Sinkhorn attention.
  tensor::ProductPrecision product_precision = tensor::ProductPrecision::single;
  AttentionConfig attention;
  FeedForwardConfig feed_forward;
  ConvolutionConfig convolution;

  template <class Visitor>
  void visit(Visitor& v) {
    v.choice(
        "kind", kind,
        {{"vit", ModelKind::vit},
         {"text", ModelKind::text},
         {"set", ModelKind::set},
         {"mlp", ModelKind::mlp},
         {"convolutional", ModelKind::convolutional}},
        "vit, text, set: a Transformer on images, token sequences or unordered points; mlp: a "
        "perceptron on images, without attention; convolutional: convolutions before one; matcher, "
        "which matches keypoints, has fields of its own (configs/train/keypoints_dustbin.json)");
    v.field("image_height", image_height, "images: in pixels; 0: taken from the data",
            between(0, 65536));
    v.field("image_width", image_width, "images: in pixels; 0: taken from the data",
            between(0, 65536));
    v.field("channels", channels, "images: colour channels; 0: taken from the data",
            between(0, 4096));
    v.field("classes", classes, "number of classes; 0: taken from the data", between(0, 1000000));
    v.field("patch", patch, "vit: side of a square patch in pixels; must divide the image",
            between(1, 65536));
    v.field("vocabulary", vocabulary, "text: number of token ids; 0: taken from the data",
            between(0, 10'000'000));
    v.field(
        "max_tokens", max_tokens,
        "text: number of learned positions, at least the longest example; 0: taken from the data",
        between(0, 1'000'000));
    v.field("separator", separator,
            "text: the token id behind which the second text of a pair begins, to whose tokens a "
            "learned vector is added; 0: none",
            between(0, 10'000'000));
    v.field("point_width", point_width, "set: numbers per point; 0: taken from the data",
            between(0, 65536));
    v.field(
        "point_frequencies", point_frequencies,
        "set: number of frequencies (6, 12, 24, ...) whose sines and cosines of each number are "
        "added; 0: none",
        between(0, 16));
    v.choice("positions", positions, {{"learned", Positions::learned}, {"none", Positions::none}},
             "vit, text: one learned vector per position, or none");
    v.field("width", width,
            "width of a token vector, a multiple of heads; mlp, convolutional: of a hidden layer",
            between(1, 65536));
    v.field("heads", heads, "attention heads per layer", between(1, 65536));
    v.field("layers", layers, "encoder layers; mlp, convolutional: hidden layers",
            between(1, 1000));
    v.field("mlp_ratio", mlp_ratio, "hidden width of the feed-forward part, as a multiple of width",
            {0, 64, true});
    v.choice(
        "pooling", pooling,
        {{"mean", Pooling::mean},
         {"class_token", Pooling::class_token},
         {"first_token", Pooling::first_token},
         {"none", Pooling::none}},
        "how tokens become one vector per example: their mean, a learned class token before them, "
        "or the first of a text; none: classify every token");
    v.field("pooler", pooler, "a linear layer and tanh between pooling and classifier");
    v.choice(
        "norm", norm, {{"pre", NormPosition::pre}, {"post", NormPosition::post}},
        "layer norms before attention and feed-forward part (pre) or after their residual sums "
        "(post)");
    v.field("norm_epsilon", norm_epsilon,
            "number added to the variance in layer norms and batch norms", {0, 1, true});
    v.field("embedding_norm", embedding_norm,
            "a layer norm of the embedded tokens after positions are added");
    v.field("dropout", dropout, "probability that an activation is dropped in training",
            between(0, 0.95));
    v.field("embedding_dropout", embedding_dropout,
            "probability that a value of an embedded token is dropped in training, before "
            "positions are "
            "added",
            between(0, 0.95));
    v.choice("product_precision", product_precision,
             {{"single", tensor::ProductPrecision::single},
              {"bfloat16", tensor::ProductPrecision::bfloat16}},
             "vit, text, set: precision of matrix products inside encoder layers: of linear "
             "layers, and in training of softmax and Sinkhorn attention too; weights and sums stay "
             "single; bfloat16 is for processors with AVX512_BF16, and is single elsewhere");
    v.group("attention", attention, "attention of every layer");
    v.group("feed_forward", feed_forward, "feed-forward part of every layer");
    v.group("convolution", convolution, "convolutions before the hidden layers");
  }

  bool has_convolutions() const { return kind == ModelKind::convolutional; }
  bool has_attention() const { return kind != ModelKind::mlp && !has_convolutions(); }
  bool reads_images() const { return kind == ModelKind::vit || !has_attention(); }
  bool has_class_token() const { return pooling == Pooling::class_token; }
  bool has_positions() const { return kind != ModelKind::set && positions == Positions::learned; }
  /// Whether the tokens behind the first `separator` of a text, the second text of a pair, get a
  /// learned vector: BERT's second token type less the first.
  bool has_segments() const { return kind == ModelKind::text && separator > 0; }
  /// Whether every token has class scores of its own.
  bool labels_tokens() const { return pooling == Pooling::none; }
  bool has_final_norm() const { return norm == NormPosition::pre; }
  int head_width() const { return width / heads; }
  int hidden_width() const { return static_cast<int>(std::lround(mlp_ratio * width)); }
  /// Elements of one image, laid out [channels, height, width].
  std::int64_t image_size() const { return std::int64_t{channels} * image_height * image_width; }
  /// Numbers that the hidden layers of a network without attention read: the image, or what the
  /// last pooling leaves.
  std::int64_t hidden_inputs() const {
    if (!has_convolutions()) return image_size();
    return std::int64_t{convolution.channels.back()} * convolution.pooled(image_height) *
           convolution.pooled(image_width);
  }
  std::int64_t patch_size() const { return std::int64_t{channels} * patch * patch; }
  std::int64_t patches() const {
    return std::int64_t{image_height / patch} * (image_width / patch);
  }
  /// Most tokens that attention sees of one example: the patches of an image or max_tokens and,
  /// with class_token pooling, the class token. Where has_positions(), the rows of the position
  /// table.
  std::int64_t tokens() const {
    return (kind == ModelKind::vit ? patches() : max_tokens) + (has_class_token() ? 1 : 0);
  }

  /// UsageError in the user's words when fields are out of range or do not fit each other. `source`
  /// names the file or command line they came from. Sizes that are still 0 are not checked.
  void validate(const std::string& source) const;
  /// As validate, and every size taken from the data must be known.
  void validate_complete(const std::string& source) const;
};

/// "ViT, 3 layers, width 64, 2 heads, 49 tokens, Sinkhorn attention (T = 10, epsilon = 1)",
/// "text Transformer, 2 layers, width 64, 2 heads, 8000 token ids, softmax attention"
std::string describe_model(const ModelConfig& model);

}  // namespace asap::config
