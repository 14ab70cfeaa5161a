CREATE TABLE IF NOT EXISTS encord_annotations (
    -- hash of the label row
    label_hash text,
    -- data hash of the data unit that the label row is about
    data_hash text,
    -- title of that data unit
    data_title text,
    -- the dataset that the data unit is in
    dataset_hash text,
    -- the label branch
    branch text,
    -- image, video, img_group, audio, plain_text, group, scene, ...
    data_type text,
    -- data hash of the image in an image group, or of the file in a data group; else as data_hash
    unit text,
    -- number of the frame, of the image in its group, of the page or of the slice; 0 for an image; null for a range, and for a classification of the whole data unit
    frame bigint,
    -- width of the image in pixels; null where there are none
    width bigint,
    -- height of the image in pixels
    height bigint,
    -- object or classification
    kind text,
    -- hash of the object or classification; the same on all frames and ranges
    hash text,
    -- hash of the ontology's object or classification
    feature_hash text,
    -- name of the ontology's object or classification: the class
    name text,
    -- shape of an object, such as bounding_box, audio or text
    shape text,
    -- geometry as Encord has it, by its key, in fractions of width and height; null without one
    geometry jsonb,
    -- left of the box around the object, parallel to the axes, in pixels; null where it has none
    box_x double precision,
    -- top of that box
    box_y double precision,
    -- width of that box
    box_w double precision,
    -- height of that box
    box_h double precision,
    -- attributes and their answers here, by name
    answers jsonb,
    -- 0 to 1
    confidence double precision,
    -- whether a person drew it
    manual boolean,
    -- who made it
    created_by text,
    -- when it was made
    created_at timestamptz,
    -- who edited it last
    last_edited_by text,
    -- when it was edited last
    last_edited_at timestamptz,
    -- the project's id
    project_id text,
    -- title of the dataset
    dataset_title text,
    -- title of the image or file that unit names
    unit_title text,
    -- pixels that the object covers, without holes; null where it has no area
    area double precision,
    -- degrees clockwise, of shapes that can be rotated
    rotation double precision,
    -- first position of a range, in range_unit; null on frames
    range_start bigint,
    -- last position of the range, included; null if it has no end
    range_end bigint,
    -- milliseconds (audio), characters (text, HTML), nanoseconds (from the start of a recorded scene) or axis (as the axis of the time series counts)
    range_unit text,
    -- in HTML, the node in which range_start counts
    range_start_xpath text,
    -- in HTML, the node in which range_end counts
    range_end_xpath text,
    -- id of the space, in data groups and scenes; null outside of spaces
    space text,
    -- image, video, audio, point_cloud, ...
    space_type text,
    -- key of the file in the layout of its data group
    layout_key text,
    -- id of the sensor's stream, in scenes
    stream text,
    -- in recorded scenes, how the object moves until its next row: hold or linear
    interpolation text,
    -- DICOM instance UID of the slice
    instance_uid text,
    -- status of the label row; meaningless in projects with a workflow
    label_status text,
    -- status of the task of the label row, in projects without a workflow
    annotation_task_status text,
    -- when the label row was created
    label_row_created_at timestamptz,
    -- when the label row was last saved
    label_row_last_edited_at timestamptz,
    -- title of the workflow stage that the label row was in when the export listed it
    stage text
);
