/* Names of PyTorch, Keras, ONNX and Caffe, in lower case without underscores. */
#include "layers/foreign.h"

#include <string.h>

#define FOREIGN_MAX_LENGTH 64

typedef struct ForeignName {
    const char *foreign;
    const char *name;
} ForeignName;

static const ForeignName layers[] = {
    {"conv1d", "conv"},
    {"conv2d", "conv"},
    {"conv3d", "conv"},
    {"convolution", "conv"},
    {"convolution1d", "conv"},
    {"convolution2d", "conv"},
    {"convolution3d", "conv"},
    {"convtranspose", "deconv"},
    {"convtranspose1d", "deconv"},
    {"convtranspose2d", "deconv"},
    {"convtranspose3d", "deconv"},
    {"conv1dtranspose", "deconv"},
    {"conv2dtranspose", "deconv"},
    {"conv3dtranspose", "deconv"},
    {"deconv1d", "deconv"},
    {"deconv2d", "deconv"},
    {"deconv3d", "deconv"},
    {"deconvolution", "deconv"},
    {"transposedconv", "deconv"},
    {"upconv", "deconv"},
    {"depthwiseconv", "depthwise"},
    {"depthwiseconv1d", "depthwise"},
    {"depthwiseconv2d", "depthwise"},
    {"depthwiseconvolution", "depthwise"},
    {"dwconv", "depthwise"},
    {"separableconv", "separable"},
    {"separableconv1d", "separable"},
    {"separableconv2d", "separable"},
    {"separableconvolution2d", "separable"},
    {"sepconv", "separable"},
    {"lppool1d", "lppool"},
    {"lppool2d", "lppool"},
    {"lppool3d", "lppool"},
    {"maxpool1d", "maxpool"},
    {"maxpool2d", "maxpool"},
    {"maxpool3d", "maxpool"},
    {"maxpooling", "maxpool"},
    {"maxpooling1d", "maxpool"},
    {"maxpooling2d", "maxpool"},
    {"maxpooling3d", "maxpool"},
    {"avgpool1d", "avgpool"},
    {"avgpool2d", "avgpool"},
    {"avgpool3d", "avgpool"},
    {"averagepool", "avgpool"},
    {"averagepooling", "avgpool"},
    {"averagepooling1d", "avgpool"},
    {"averagepooling2d", "avgpool"},
    {"averagepooling3d", "avgpool"},
    {"meanpool", "avgpool"},
    {"adaptiveavgpool1d", "adaptiveavgpool"},
    {"adaptiveavgpool2d", "adaptiveavgpool"},
    {"gap", "globalavgpool"},
    {"globalaveragepool", "globalavgpool"},
    {"globalaveragepooling", "globalavgpool"},
    {"globalaveragepooling1d", "globalavgpool"},
    {"globalaveragepooling2d", "globalavgpool"},
    {"globalaveragepooling3d", "globalavgpool"},
    {"globalpool", "globalavgpool"},
    {"gmp", "globalmaxpool"},
    {"adaptivemaxpool1d", "globalmaxpool"},
    {"adaptivemaxpool2d", "globalmaxpool"},
    {"globalmaxpooling", "globalmaxpool"},
    {"globalmaxpooling1d", "globalmaxpool"},
    {"globalmaxpooling2d", "globalmaxpool"},
    {"affine", "dense"},
    {"fc", "dense"},
    {"fullyconnected", "dense"},
    {"gemm", "dense"},
    {"innerproduct", "dense"},
    {"linear", "dense"},
    {"batchnorm1d", "batchnorm"},
    {"batchnorm2d", "batchnorm"},
    {"batchnormalization", "batchnorm"},
    {"batchnormalisation", "batchnorm"},
    {"bn", "batchnorm"},
    {"layernormalization", "layernorm"},
    {"layernormalisation", "layernorm"},
    {"ln", "layernorm"},
    {"rmsnormalization", "rmsnorm"},
    {"rmslayernorm", "rmsnorm"},
    {"groupnormalization", "groupnorm"},
    {"gn", "groupnorm"},
    {"localresponsenorm", "lrn"},
    {"localresponsenormalization", "lrn"},
    {"localnorm", "lrn"},
    {"instancenorm1d", "instancenorm"},
    {"instancenorm2d", "instancenorm"},
    {"instancenorm3d", "instancenorm"},
    {"instancenormalization", "instancenorm"},
    {"rectifier", "relu"},
    {"lrelu", "leakyrelu"},
    {"clamp", "clip"},
    {"clipbyvalue", "clip"},
    {"absolute", "abs"},
    {"absval", "abs"},
    {"exponential", "exp"},
    {"swish", "silu"},
    {"hsigmoid", "hardsigmoid"},
    {"hswish", "hardswish"},
    {"parametricrelu", "prelu"},
    {"logistic", "sigmoid"},
    {"sigm", "sigmoid"},
    {"softmax1d", "softmax"},
    {"softmax2d", "softmax"},
    {"multiheadattention", "attention"},
    {"mha", "attention"},
    {"selfattention", "attention"},
    {"simplernn", "rnn"},
    {"elman", "rnn"},
    {"flat", "flatten"},
    {"ravel", "flatten"},
    {"unflatten", "reshape"},
    {"view", "reshape"},
    {"permute", "transpose"},
    {"swapaxes", "transpose"},
    {"movedim", "transpose"},
    {"shufflechannels", "channelshuffle"},
    {"pixelshuffle", "depthtospace"},
    {"subpixel", "depthtospace"},
    {"pixelunshuffle", "spacetodepth"},
    {"narrow", "slice"},
    {"stridedslice", "slice"},
    {"chunk", "split"},
    {"centercrop", "crop"},
    {"cropping", "crop"},
    {"cropping1d", "crop"},
    {"cropping2d", "crop"},
    {"zeropad", "pad"},
    {"zeropadding1d", "pad"},
    {"zeropadding2d", "pad"},
    {"zeropad2d", "pad"},
    {"reflectionpad2d", "pad"},
    {"replicationpad2d", "pad"},
    {"upsampling1d", "upsample"},
    {"upsampling2d", "upsample"},
    {"upsamplingnearest2d", "upsample"},
    {"interpolate", "resize"},
    {"interp", "resize"},
    {"upsamplingbilinear2d", "resize"},
    {"cat", "concat"},
    {"concatenate", "concat"},
    {"concatenation", "concat"},
    {"merge", "concat"},
    {"pack", "stack"},
    {"addition", "add"},
    {"batchmatmul", "matmul"},
    {"bmm", "matmul"},
    {"dot", "matmul"},
    {"mm", "matmul"},
    {"plus", "add"},
    {"shortcut", "add"},
    {"reducemean", "mean"},
    {"reducesum", "sum"},
    {"reducemax", "amax"},
    {"subtract", "sub"},
    {"minus", "sub"},
    {"multiply", "mul"},
    {"times", "mul"},
    {"divide", "div"},
    {"maximum", "max"},
    {"minimum", "min"},
    {"negate", "neg"},
    {"negative", "neg"},
    {"layerscale", "scale"},
    {"dropout1d", "dropout"},
    {"dropout2d", "dropout"},
    {"spatialdropout2d", "dropout"},
};

/* Where a layer has several of the names on the right, the first that it has is meant. */
static const ForeignName arguments[] = {
    {"alpha", "slope"},
    {"numheads", "heads"},
    {"iscausal", "causal"},
    {"usecausalmask", "causal"},
    {"hiddensize", "hidden"},
    {"units", "hidden"},
    {"numlayers", "layers"},
    {"returnsequences", "sequence"},
    {"nonlinearity", "activation"},
    {"numembeddings", "vocabulary"},
    {"embeddingdim", "width"},
    {"transposeb", "transpose"},
    {"aligncorners", "corners"},
    {"begin", "from"},
    {"blocksize", "factor"},
    {"chunks", "parts"},
    {"ceilmode", "ceil"},
    {"channels", "filters"},
    {"countincludepad", "countpad"},
    {"depthmultiplier", "multiplier"},
    {"dilationrate", "dilation"},
    {"dilations", "dilation"},
    {"dim", "axis"},
    {"dim", "axes"},
    {"dims", "shape"},
    {"elementwiseaffine", "affine"},
    {"dims", "axes"},
    {"epsilon", "eps"},
    {"end", "to"},
    {"features", "units"},
    {"group", "groups"},
    {"axes", "axis"},
    {"bias", "k"},
    {"localsize", "size"},
    {"keepdim", "keep"},
    {"keepdims", "keep"},
    {"interpolation", "mode"},
    {"kernelshape", "kernel"},
    {"kernelshape", "size"},
    {"kernelsize", "kernel"},
    {"kernelsize", "size"},
    {"kernel", "size"},
    {"lambd", "lambda"},
    {"maxval", "max"},
    {"maxvalue", "max"},
    {"minval", "min"},
    {"minvalue", "min"},
    {"size", "kernel"},
    {"negativeslope", "slope"},
    {"normtype", "p"},
    {"numgroups", "groups"},
    {"numoutput", "filters"},
    {"numoutput", "units"},
    {"outchannels", "filters"},
    {"outputpadding", "outputpad"},
    {"outfeatures", "units"},
    {"outputs", "units"},
    {"outputsize", "size"},
    {"perm", "axes"},
    {"scales", "scale"},
    {"scalefactor", "scale"},
    {"scalefactor", "factor"},
    {"scale", "factor"},
    {"sections", "parts"},
    {"start", "from"},
    {"stop", "to"},
    {"upscalefactor", "factor"},
    {"downscalefactor", "factor"},
    {"p", "rate"},
    {"padding", "pad"},
    {"pads", "pad"},
    {"poolsize", "size"},
    {"strides", "stride"},
    {"targetshape", "shape"},
    {"usebias", "bias"},
    {"width", "filters"},
    {"width", "units"},
    {"window", "size"},
};

/* Lower case, no underscores. False if it is longer than any name here. */
static bool normalise(const char *name, char normal[FOREIGN_MAX_LENGTH]) {
    size_t length = 0;
    for (; *name; name++) {
        if (*name == '_')
            continue;
        if (length + 1 == FOREIGN_MAX_LENGTH)
            return false;
        normal[length++] = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
    }
    normal[length] = '\0';
    return true;
}

const LayerInfo *foreign_layer(const char *name) {
    char normal[FOREIGN_MAX_LENGTH];
    if (!normalise(name, normal))
        return NULL;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (strcmp(layers[i].foreign, normal) == 0)
            return layer_find(layers[i].name);
    return layer_find(normal);
}

static const AttributeInfo *find_argument(const LayerInfo *layer, const char *name) {
    int place = layer_attribute(layer, name);
    return place >= 0 ? &layer->attributes[place] : NULL;
}

const AttributeInfo *foreign_argument(const LayerInfo *layer, const char *name) {
    char normal[FOREIGN_MAX_LENGTH];
    if (!normalise(name, normal))
        return NULL;
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        if (strcmp(arguments[i].foreign, normal) != 0)
            continue;
        const AttributeInfo *found = find_argument(layer, arguments[i].name);
        if (found)
            return found;
    }
    return find_argument(layer, normal);
}
